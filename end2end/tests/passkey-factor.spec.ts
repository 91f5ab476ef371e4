import type { Page } from '@playwright/test';
import { LoginPage } from '../pages/login';
import { VirtualAuthenticator } from '../support/passkeys';
import type { Person, Server } from '../support/server';
import { expect, test } from '../support/test';
import { lastCode, totp } from '../support/totp';
import { at } from '../support/url';

test.skip(({ browserName }) => browserName !== 'chromium', 'only Chromium has virtual authenticators');

// The first change on a page has no nonce yet, and a password without its factor is refused.
test.beforeEach(({ watch }) => watch.allowStatus(401));

/** Signs in with the password and adds a passkey. */
async function registered(page: Page, server: Server): Promise<{ ada: Person; authenticator: VirtualAuthenticator }> {
  const ada = await server.person();
  const authenticator = await VirtualAuthenticator.of(page);
  await new LoginPage(page).signIn(ada);
  await page.goto('/dashboard/account');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await expect(page.locator('.passkey')).toHaveCount(1);
  return { ada, authenticator };
}

async function leave(page: Page, authenticator: VirtualAuthenticator): Promise<LoginPage> {
  await authenticator.present(false);
  await page.context().clearCookies();
  const login = new LoginPage(page);
  await login.open();
  return login;
}

async function amr(page: Page): Promise<unknown> {
  return page.evaluate(async () => (await (await fetch('/api/session')).json()).amr);
}

test('a passkey is asked for after the password when its owner wants that', async ({ page, server }) => {
  const { ada, authenticator } = await registered(page, server);
  const login = await leave(page, authenticator);
  await login.submit(ada);
  await page.waitForURL(at('/dashboard'));
  expect(await amr(page), 'zitadel#10717, pocket-id#862: until then the password is a way in').toEqual(['pwd']);

  await page.goto('/dashboard/account');
  await page.getByRole('button', { name: 'Ask for a passkey after the password' }).click();
  await expect(page.locator('.recovery-codes:visible')).toHaveText(/^([0-9A-Z]{4}-){5}[0-9A-Z]{4}\n/);
  await page.getByRole('button', { name: 'Done' }).click();
  await expect(page.getByText('Signing in with your password needs one of your passkeys too.')).toBeVisible();

  await leave(page, authenticator);
  await login.submit(ada);
  await expect(login.alert).toContainText('passkey');
  const button = page.getByRole('button', { name: 'Sign in with a passkey' });
  await expect(button).toBeFocused();
  await authenticator.present(true);
  await page.keyboard.press('Enter');
  await page.waitForURL(at('/dashboard'));
  expect(await amr(page)).toEqual(['pwd', 'pop', 'user', 'mfa']);

  await page.goto('/dashboard/account');
  await page.getByRole('button', { name: 'Stop asking for a passkey after the password' }).click();
  await expect(page.getByRole('button', { name: 'Ask for a passkey after the password' })).toBeVisible();
});

test('a forged passkey after the password is refused, and the owner sees it', async ({ page, server }) => {
  const { ada, authenticator } = await registered(page, server);
  await page.getByRole('button', { name: 'Ask for a passkey after the password' }).click();
  await expect(page.locator('.recovery-codes:visible')).toBeVisible();
  const login = await leave(page, authenticator);
  await login.submit(ada);
  await expect(login.alert).toContainText('passkey');
  await authenticator.forge({ isBogusSignature: true });
  await authenticator.present(true);
  const answer = page.waitForResponse('**/api/login/passkey');
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  expect(await (await answer).json()).toMatchObject({ status: 401, code: 'passkey_refused' });
  await expect(login.alert).toContainText('This passkey was not accepted.');
  expect((await server.command(['audit', '--user', ada.name])).stdout).toContain('passkey_refused');
});

test('every change is signalled to the passkey manager', async ({ page, server }) => {
  const { authenticator } = await registered(page, server);
  await authenticator.only();
  await page.getByRole('button', { name: /^Rename: / }).click();
  await page.getByLabel('New name').fill('Blue key');
  const told = page.waitForResponse((answer) => answer.url().endsWith('/api/passkeys') && answer.request().method() === 'GET');
  await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
  await told;
  await expect(page.locator('.passkey h3')).toHaveText('Blue key');
  expect(authenticator.deleted, 'it is still accepted').toHaveLength(0);
  await page.getByRole('button', { name: 'Remove: Blue key' }).click();
  await page.getByRole('button', { name: 'Remove passkey' }).click();
  await expect.poll(() => authenticator.deleted.length, { message: 'signalAllAcceptedCredentials' }).toBe(1);
  await expect.poll(() => authenticator.credentials()).toHaveLength(0);
});

test('a passkey that the server did not take is signalled as unknown', async ({ page, server }) => {
  const ada = await server.person();
  const authenticator = await VirtualAuthenticator.of(page);
  await new LoginPage(page).signIn(ada);
  await page.goto('/dashboard/account');
  await page.route('**/api/passkeys', (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    const problem = { status: 401, code: 'passkey_refused', title: 'This passkey was not accepted.' };
    return route.fulfill({ status: 401, contentType: 'application/problem+json', body: JSON.stringify(problem) });
  });
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await expect(page.locator('#passkeys-said')).toHaveText('This passkey was not accepted.');
  await expect.poll(() => authenticator.deleted.length, { message: 'signalUnknownCredential' }).toBe(1);
});

test('a browser that has just filled in the password makes a passkey by itself', async ({ page, server }) => {
  const ada = await server.person();
  const authenticator = await VirtualAuthenticator.of(page);
  // A real password manager decides whether it makes one. This one always does, as the authenticator would.
  await page.addInitScript(() => {
    // A script cannot fill in a field as a password manager does.
    sessionStorage.setItem('filled', '1');
    const asked: string[] = [];
    Object.assign(window, { asked });
    const { create } = CredentialsContainer.prototype;
    CredentialsContainer.prototype.create = function (options) {
      const { mediation, ...rest } = options as CredentialCreationOptions & { mediation?: string };
      asked.push(`${mediation} ${rest.publicKey?.authenticatorSelection?.userVerification}`);
      return create.call(this, rest);
    };
  });
  await new LoginPage(page).signIn(ada);
  await expect(page.getByText('Your password manager has saved a passkey for this account.')).toBeVisible();
  expect(await page.evaluate(() => (window as unknown as { asked: string[] }).asked)).toEqual(['conditional preferred']);
  await authenticator.only();
  await page.reload();
  await expect(page.getByText('Add a passkey')).toHaveCount(0);
  // The new passkey signs in like any other, with user verification.
  await leave(page, authenticator);
  await VirtualAuthenticator.offered(page);
  await authenticator.present(true);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.waitForURL(at('/dashboard'));
  expect(await amr(page)).toEqual(['pop', 'user', 'mfa']);
});

test('a browser without conditional creation is asked for nothing', async ({ page, server }) => {
  const ada = await server.person();
  await page.addInitScript(() => {
    sessionStorage.setItem('filled', '1');
    PublicKeyCredential.getClientCapabilities = async () => ({ conditionalCreate: false });
  });
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await new LoginPage(page).signIn(ada);
  await page.waitForLoadState('networkidle');
  expect(asked).not.toContain('/api/passkeys/options');
});

test('nobody whose password was typed is asked', async ({ page, server }) => {
  const ada = await server.person();
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await new LoginPage(page).signIn(ada);
  await page.waitForLoadState('networkidle');
  expect(asked).not.toContain('/api/passkeys/options');
});

test('an administrator removes the factors of a person who lost all of them', async ({ page, server, visit }) => {
  const root = await server.person('administrator');
  const { ada } = await registered(page, server);
  await page.getByRole('button', { name: 'Ask for a passkey after the password' }).click();
  await expect(page.locator('.recovery-codes:visible')).toBeVisible();

  const desk = await visit();
  await new LoginPage(desk).signIn(root);
  await desk.goto(`/dashboard/users?word=${ada.name}`);
  await desk.getByRole('link', { name: `Profile of ${ada.name}` }).click();
  await expect(desk.getByText('Has 1 passkey, 10 recovery codes.')).toBeVisible();
  await desk.getByRole('button', { name: 'Remove all factors' }).click();
  await desk.getByRole('dialog').getByRole('button', { name: 'Remove all factors' }).click();
  await expect(desk.getByText('None: the password alone signs in.')).toBeVisible();

  const owner = await visit();
  await new LoginPage(owner).signIn(ada);
  await owner.goto('/dashboard/activity');
  await expect(owner.getByText('An administrator removed second factors: all of them')).toBeVisible();
});

test.describe('remembered devices', () => {
  test.use({ settings: { 'session.remember_device': '"30d"' } });

  test('a browser that passed the second factor is not asked again until its owner says so', async ({ page, server, visit }) => {
    const ada = await server.person();
    const login = new LoginPage(page);
    await login.signIn(ada);
    await page.goto('/dashboard/account');
    await page.getByRole('button', { name: 'Set up one-time codes' }).click();
    await expect(page.locator('.secret')).toHaveText(/^[A-Z2-7 ]{32,}$/);
    const secret = await page.locator('.secret').textContent();
    await page.getByLabel('The six digits that the app shows').fill(await lastCode(secret ?? ''));
    await page.getByRole('button', { name: 'Turn on' }).click();
    await expect(page.locator('.recovery-codes:visible')).toBeVisible();
    await page.context().clearCookies();

    await login.open();
    const box = page.getByLabel('Do not ask this browser for a code for 30 days');
    await expect(box).not.toBeChecked();
    await login.fill(ada);
    await page.getByLabel(/^One-time code/).fill(totp(secret ?? ''));
    await box.check();
    await login.button.click();
    await page.waitForURL(at('/dashboard'));
    expect(await amr(page)).toEqual(['pwd', 'otp', 'mfa']);

    await page.context().clearCookies();
    await login.signIn(ada);
    expect(await amr(page), 'its key is known, and that is no factor').toEqual(['pwd']);
    const elsewhere = await visit();
    const other = new LoginPage(elsewhere);
    await other.open();
    await other.submit(ada);
    await expect(other.alert).toContainText('second factor');

    await page.goto('/dashboard/devices');
    await expect(page.getByRole('heading', { name: 'Not asked for your second factor' })).toBeVisible();
    await expect(page.locator('.remembered .device')).toHaveCount(1);
    await page.getByRole('button', { name: /^Ask .* for the second factor again$/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Ask again' }).click();
    await expect(page.locator('.remembered')).toHaveCount(0);
    await page.context().clearCookies();
    await login.open();
    await login.submit(ada);
    await expect(login.alert).toContainText('second factor');
  });
});
