import type { Page } from '@playwright/test';
import { LoginPage } from '../pages/login';
import { VirtualAuthenticator } from '../support/passkeys';
import type { Person, Server } from '../support/server';
import { expect, test } from '../support/test';
import { at } from '../support/url';

// Changes by others, and how passkey managers learn of them (W3C Web Authentication Level 3, section 5.1.10).

test.skip(({ browserName }) => browserName !== 'chromium', 'only Chromium has virtual authenticators');
test.beforeEach(({ watch }) => watch.allowStatus(401));

async function registered(page: Page, server: Server): Promise<{ ada: Person; authenticator: VirtualAuthenticator }> {
  const ada = await server.person();
  const authenticator = await VirtualAuthenticator.of(page);
  await new LoginPage(page).signIn(ada);
  await page.goto('/dashboard/account');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await expect(page.locator('.passkey')).toHaveCount(1);
  return { ada, authenticator };
}

test('a passkey that an administrator removed is refused like any other, and forgotten at the next visit', async ({ page, server }) => {
  const { ada, authenticator } = await registered(page, server);
  await authenticator.present(false);
  await page.context().clearCookies();
  const removed = await server.command(['user', 'remove-factors', ada.name]);
  expect(removed.code).toBe(0);
  const login = new LoginPage(page);
  await login.open();
  await VirtualAuthenticator.offered(page);
  await authenticator.present(true);
  const refused = page.waitForResponse('**/api/login/passkey');
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  expect(await (await refused).json()).toEqual({ status: 401, code: 'passkey_refused', title: 'This passkey was not accepted.' });
  await expect(login.alert).toContainText('This passkey was not accepted.');
  expect(authenticator.deleted, 'a stranger learns nothing').toHaveLength(0);
  await authenticator.present(false);
  await login.signIn(ada);
  await page.goto('/dashboard');
  await expect.poll(() => authenticator.deleted.length, { message: 'signalAllAcceptedCredentials' }).toBe(1);
});

test('a wrong signature is signalled to nobody', async ({ page, server }) => {
  const { authenticator } = await registered(page, server);
  await authenticator.present(false);
  await page.context().clearCookies();
  const login = new LoginPage(page);
  await login.open();
  await VirtualAuthenticator.offered(page);
  await authenticator.forge({ isBogusSignature: true });
  await authenticator.present(true);
  const refused = page.waitForResponse('**/api/login/passkey');
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  expect(await (await refused).json()).toEqual({ status: 401, code: 'passkey_refused', title: 'This passkey was not accepted.' });
  await expect(login.alert).toContainText('This passkey was not accepted.');
  expect(authenticator.deleted).toHaveLength(0);
});

test('a removal elsewhere is signalled at the next visit', async ({ page, server }) => {
  const { ada, authenticator } = await registered(page, server);
  expect((await server.command(['user', 'remove-factors', ada.name])).code).toBe(0);
  await page.goto('/dashboard');
  await expect.poll(() => authenticator.deleted.length, { message: 'signalAllAcceptedCredentials' }).toBe(1);
});

test('a new display name is signalled', async ({ page, server }) => {
  const { ada, authenticator } = await registered(page, server);
  await page.goto('/dashboard/account/profile');
  await page.locator('.who button:enabled').waitFor();
  await page.getByLabel(/^Display name/).fill('Ada Lovelace');
  await page.getByRole('button', { name: 'Save profile' }).click();
  await expect(page.getByText('Your profile is changed.')).toBeVisible();
  const details = () => authenticator.updated.at(-1) as unknown as { userName?: string; userDisplayName?: string } | undefined;
  await expect.poll(() => details()?.userDisplayName, { message: 'signalCurrentUserDetails' }).toBe('Ada Lovelace');
  expect(details()?.userName).toBe(ada.name);
});

test('the deletion of an account is signalled', async ({ page, server }) => {
  const { ada, authenticator } = await registered(page, server);
  await page.goto('/dashboard/account/delete');
  await page.locator('#password').fill(ada.password);
  await page.locator('form[data-step=ready]').waitFor();
  await page.getByRole('button', { name: 'Delete account' }).click();
  await page.waitForURL(at('/login'));
  await expect.poll(() => authenticator.deleted.length, { message: 'signalAllAcceptedCredentials' }).toBe(1);
});
