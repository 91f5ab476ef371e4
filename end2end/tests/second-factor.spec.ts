import type { Page } from '@playwright/test';
import { LoginPage } from '../pages/login';
import type { Person } from '../support/server';
import { expect, test } from '../support/test';
import { lastCode, totp } from '../support/totp';
import { at } from '../support/url';

// The first change on a page has no nonce yet, and a password without its code is refused.
test.beforeEach(({ watch }) => watch.allowStatus(401));

/** Removes what browsers offer only with https, from every page before its own code runs. */
const plainHttp = (page: Page) =>
  page.addInitScript(() => {
    Object.defineProperty(window, 'isSecureContext', { value: false });
    Object.defineProperty(window, 'PublicKeyCredential', { value: undefined });
    Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined });
  });

/** Sets up one-time codes on the present page, and returns the secret and the recovery codes. */
async function enrol(page: Page): Promise<{ secret: string; recovery: string[] }> {
  await page.getByRole('button', { name: 'Set up one-time codes' }).click();
  await expect(page.locator('.secret')).toHaveText(/^[A-Z2-7]{32}$/);
  const secret = (await page.locator('.secret').textContent()) ?? '';
  // Its groups have gaps, and a copy has none.
  const copied = await page.locator('.secret').evaluate((shown) => {
    getSelection()?.selectAllChildren(shown);
    return String(getSelection());
  });
  expect(copied.trim()).toBe(secret);
  // The code of the step before: the present one is still unused afterwards.
  await page.getByLabel('The six digits that the app shows').fill(await lastCode(secret));
  await page.getByRole('button', { name: 'Turn on' }).click();
  const shown = page.locator('.recovery-codes:visible');
  await expect(shown).toHaveText(/^([0-9A-Z]{4}-){5}[0-9A-Z]{4}\n/);
  const recovery = ((await shown.textContent()) ?? '').trim().split('\n');
  expect(recovery).toHaveLength(10);
  return { secret, recovery };
}

async function signInWith(page: Page, person: Person, code: string): Promise<void> {
  await page.context().clearCookies();
  const login = new LoginPage(page);
  await login.open();
  await login.fill(person);
  await page.getByLabel(/^One-time code/).fill(code);
  await login.button.click();
  await page.waitForURL(at('/dashboard'));
}

const methods = (page: Page) => page.evaluate(async () => (await (await fetch('/api/session')).json()).amr);

test('on plain http a one-time code and a recovery code sign in', async ({ page, server }) => {
  const ada = await server.person();
  await plainHttp(page);
  const login = new LoginPage(page);
  await login.signIn(ada);
  await page.goto('/dashboard/account');
  await expect(page.getByRole('button', { name: 'Add a passkey' })).toBeDisabled();
  const { secret, recovery } = await enrol(page);
  await signInWith(page, ada, totp(secret));
  expect(await methods(page)).toEqual(['pwd', 'otp', 'mfa']);
  await signInWith(page, ada, recovery[0] ?? '');
  expect(await methods(page)).toEqual(['pwd', 'otp', 'mfa']);
  await expect(page.getByText(/A recovery code was used/).first()).toBeVisible();
  await page.goto('/dashboard/account');
  await expect(page.getByText('9 recovery codes are left.')).toBeVisible();
  // It works once.
  await page.context().clearCookies();
  await login.open();
  await login.fill(ada);
  await page.getByLabel(/^One-time code/).fill(recovery[0] ?? '');
  await login.button.click();
  await expect(login.alert).toContainText(/wrong/i);
});

test('recovery codes are shown once', async ({ page, server }) => {
  const ada = await server.person();
  await new LoginPage(page).signIn(ada);
  await page.goto('/dashboard/account');
  const { recovery } = await enrol(page);
  await page.reload();
  await expect(page.getByText('10 recovery codes are left.')).toBeVisible();
  expect(await page.content()).not.toContain(recovery[0] ?? '-');
});

test.describe('where a second factor is required', () => {
  test.use({ settings: { 'second_factor.users': 'required' } });

  test('a person sets up one-time codes at the next sign-in, and is asked for one at the sign-in after that', async ({ page, server }) => {
    const ada = await server.person();
    await page.goto('/dashboard/devices');
    const login = new LoginPage(page);
    await login.alive();
    await login.submit(ada);
    await page.waitForURL(/\/dashboard\/second-factor/);
    await expect(page.getByRole('heading', { name: 'Set up a second factor', level: 1 })).toBeVisible();
    const { secret } = await enrol(page);
    await page.getByRole('button', { name: 'Done' }).click();
    await page.waitForURL(at('/dashboard/devices'));
    await page.context().clearCookies();
    await login.open();
    await login.submit(ada);
    await expect(login.alert).toContainText('second factor');
    await signInWith(page, ada, totp(secret));
    expect(await methods(page)).toEqual(['pwd', 'otp', 'mfa']);
  });
});

test('without JavaScript the pages say what is possible', async ({ page, server, visit }) => {
  const ada = await server.person();
  await new LoginPage(page).signIn(ada);
  const plain = await visit({ javaScriptEnabled: false, storageState: await page.context().storageState() });
  await plain.goto('/dashboard/account');
  // This browser hides the content of noscript even then.
  expect(await plain.content()).toContain('Setting up a second factor needs JavaScript.');
  await plain.context().clearCookies();
  await plain.goto('/login');
  expect(await plain.content()).toContain('Signing in needs JavaScript');
  await expect(plain.locator('button[type=submit]')).toBeDisabled();
  await expect(plain.getByRole('button', { name: 'Sign in with a passkey' })).toBeHidden();
  expect(await plain.locator('#code').getAttribute('name'), 'a code leaves no page in plain text').toBeNull();
});
