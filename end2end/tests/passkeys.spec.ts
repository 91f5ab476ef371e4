import type { Page } from '@playwright/test';
import { Dashboard } from '../pages/dashboard';
import { LoginPage } from '../pages/login';
import { VirtualAuthenticator } from '../support/passkeys';
import type { Person, Server } from '../support/server';
import { expect, test } from '../support/test';
import { at } from '../support/url';

test.skip(({ browserName }) => browserName !== 'chromium', 'only Chromium has virtual authenticators');

// The first change on a page has no nonce yet.
test.beforeEach(({ watch }) => watch.allowStatus(401));

/** Signs in with the password and adds a passkey. */
async function registered(page: Page, server: Server, more: Record<string, unknown> = {}): Promise<{ ada: Person; authenticator: VirtualAuthenticator }> {
  const ada = await server.person();
  const authenticator = await VirtualAuthenticator.of(page, more);
  await new LoginPage(page).signIn(ada);
  await page.goto('/dashboard/account');
  await add(page);
  return { ada, authenticator };
}

async function add(page: Page): Promise<void> {
  const before = await page.locator('.passkey').count();
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await expect(page.locator('.passkey')).toHaveCount(before + 1);
}

/** Leaves the session without another request for the passkey. */
async function signOut(page: Page, authenticator: VirtualAuthenticator): Promise<void> {
  await authenticator.present(false);
  await page.context().clearCookies();
  await page.goto('/login');
  await new LoginPage(page).alive();
}

/** Presses the button, and makes the authenticator answer this request and not the offer in the field. */
async function press(page: Page, authenticator: VirtualAuthenticator): Promise<void> {
  await VirtualAuthenticator.offered(page);
  await authenticator.present(true);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
}

test('a passkey is added, named after its owner, and signs in by the button', async ({ page, server }) => {
  const { ada, authenticator } = await registered(page, server);
  const credential = await authenticator.only();
  expect(credential.isResidentCredential, 'keycloak#32816: a credential that is found without its id').toBe(true);
  expect(Buffer.from(credential.userHandle ?? '', 'base64')).toHaveLength(64);
  await signOut(page, authenticator);
  await press(page, authenticator);
  await page.waitForURL(at('/dashboard'));
  await expect(new Dashboard(page).name).toHaveText(ada.name);
  await expect(page.getByText('tied to this browser by a key')).toBeVisible();
  await page.goto('/dashboard/account');
  await expect(page.locator('.passkey')).toContainText('Last used just now');
});

test('autofill signs in without a press', async ({ page, server }) => {
  const { ada, authenticator } = await registered(page, server);
  await signOut(page, authenticator);
  const login = new LoginPage(page);
  await expect(login.name).toHaveAttribute('autocomplete', 'username webauthn');
  await authenticator.present(true);
  await page.reload();
  await page.waitForURL(at('/dashboard'));
  await expect(new Dashboard(page).name).toHaveText(ada.name);
});

test('logto-io/logto#8345: the button ends the offer in the field before it asks', async ({ page, server }) => {
  const { authenticator } = await registered(page, server);
  await signOut(page, authenticator);
  // The offer is pending (press() ensures that), and occupies the only request that a browser allows.
  await press(page, authenticator);
  await page.waitForURL(at('/dashboard'));
});

test.describe('forged answers are refused with one sentence', () => {
  for (const [what, bits] of [
    ['a wrong signature', { isBogusSignature: true }],
    ['a missing UV bit', { isBadUV: true }],
    ['a missing UP bit', { isBadUP: true }],
  ] as const) {
    test(what, async ({ page, server }) => {
      const { authenticator } = await registered(page, server);
      await signOut(page, authenticator);
      await authenticator.forge(bits);
      const refused = page.waitForResponse('**/api/login/passkey');
      await press(page, authenticator);
      expect(await (await refused).json()).toMatchObject({ status: 401, code: 'passkey_refused' });
      await expect(new LoginPage(page).alert).toContainText('This passkey was not accepted.');
    });
  }
});

test('a removed passkey signs nobody in, and its manager is told', async ({ page, server }) => {
  const { authenticator } = await registered(page, server);
  await page.getByRole('button', { name: /^Remove: / }).click();
  await page.getByRole('button', { name: 'Remove passkey' }).click();
  await expect(page.locator('.passkey')).toHaveCount(0);
  await expect.poll(() => authenticator.credentials()).toHaveLength(0);
  expect(authenticator.deleted, 'signalAllAcceptedCredentials').toHaveLength(1);
});

test('a passkey that is gone here is refused like any other', async ({ page, server }) => {
  const { authenticator } = await registered(page, server);
  const credential = await authenticator.only();
  await page.getByRole('button', { name: /^Remove: / }).click();
  await page.getByRole('button', { name: 'Remove passkey' }).click();
  await expect(page.locator('.passkey')).toHaveCount(0);
  await signOut(page, authenticator);
  await authenticator.add(credential);
  await press(page, authenticator);
  await expect(new LoginPage(page).alert).toContainText('This passkey was not accepted.');
});

test('a passkey is renamed', async ({ page, server }) => {
  await registered(page, server);
  await page.getByRole('button', { name: /^Rename: / }).click();
  await page.getByLabel('New name').fill('Blue key');
  await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
  await expect(page.locator('.passkey h3')).toHaveText('Blue key');
});

test('one authenticator gets one passkey for each account', async ({ page, server }) => {
  await registered(page, server);
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await expect(page.locator('#passkeys-said')).toHaveText('The chosen passkey manager has a passkey for this account already.');
  await expect(page.locator('.passkey')).toHaveCount(1);
});

test('supabase/auth#2732, keepassxreboot/keepassxc#13239, pocket-id#397: flags may change in both directions', async ({ page, server }) => {
  const { authenticator } = await registered(page, server, { defaultBackupEligibility: false, defaultBackupState: false });
  const { credentialId } = await authenticator.only();
  for (const backed of [true, false]) {
    await signOut(page, authenticator);
    await authenticator.set(credentialId, { backupEligibility: backed, backupState: backed });
    await press(page, authenticator);
    await page.waitForURL(at('/dashboard'));
  }
  await page.goto('/dashboard/activity');
  await expect(page.getByText('may have been copied')).toHaveCount(2);
});

test('a cloned counter is refused and shown to the owner', async ({ page, server }) => {
  const { ada, authenticator } = await registered(page, server);
  const credential = await authenticator.only();
  for (const status of [200, 401]) {
    await signOut(page, authenticator);
    await authenticator.cdp.send('WebAuthn.removeCredential', { authenticatorId: authenticator.id, credentialId: credential.credentialId });
    // Far below afterwards: the field's offer may try the copy again, and each try counts.
    await authenticator.add({ ...credential, signCount: status === 200 ? 20 : 1 });
    const answer = page.waitForResponse('**/api/login/passkey');
    await press(page, authenticator);
    expect((await answer).status()).toBe(status);
    if (status === 200) await page.waitForURL(at('/dashboard'));
  }
  await authenticator.present(false);
  await new LoginPage(page).submit(ada);
  await page.waitForURL(at('/dashboard'));
  await page.goto('/dashboard/activity');
  await expect(page.getByText('may have been copied')).toHaveCount(1);
});

test('zitadel#10717, pocket-id#862: name and password stay a way in', async ({ page, server }) => {
  const { ada, authenticator } = await registered(page, server);
  await signOut(page, authenticator);
  const login = new LoginPage(page);
  await expect(login.password).toBeVisible();
  await login.submit(ada);
  await page.waitForURL(at('/dashboard'));
});

test('discourse#39859: answers of managers that are plain objects are read', async ({ page, server }) => {
  const { authenticator } = await registered(page, server);
  await signOut(page, authenticator);
  await page.addInitScript(() => {
    const { get } = CredentialsContainer.prototype;
    CredentialsContainer.prototype.get = async function (options) {
      const { id, rawId, type, response } = (await get.call(this, options)) as unknown as Record<string, never>;
      const { clientDataJSON, authenticatorData, signature, userHandle } = response as unknown as Record<string, never>;
      return { id, rawId, type, response: { clientDataJSON, authenticatorData, signature, userHandle } } as never;
    };
  });
  await page.reload();
  await new LoginPage(page).alive();
  await press(page, authenticator);
  await page.waitForURL(at('/dashboard'));
});

test('Abrechen2/TravStats#242: without support nothing is offered', async ({ page, server }) => {
  const ada = await server.person();
  await page.addInitScript(() => {
    Object.defineProperty(window, 'PublicKeyCredential', { value: undefined });
  });
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  const login = new LoginPage(page);
  await login.open();
  await expect(page.getByRole('button', { name: 'Sign in with a passkey' })).toBeHidden();
  await login.submit(ada);
  await page.waitForURL(at('/dashboard'));
  expect(asked).not.toContain('/api/passkeys/challenge');
  await page.goto('/dashboard/account');
  await expect(page.getByText('This browser offers no passkeys here.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Add a passkey' })).toBeDisabled();
});

test('nothing of a passkey is in a URL', async ({ page, server }) => {
  const urls: string[] = [];
  page.on('request', (request) => urls.push(request.url()));
  const { authenticator } = await registered(page, server);
  const { credentialId, userHandle } = await authenticator.only();
  await signOut(page, authenticator);
  await press(page, authenticator);
  await page.waitForURL(at('/dashboard'));
  for (const secret of [credentialId, userHandle ?? '']) {
    const text = Buffer.from(secret, 'base64').toString('base64url');
    expect(urls.some((url) => url.includes(text))).toBe(false);
  }
});
