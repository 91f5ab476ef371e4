import { LoginPage } from '../pages/login';
import { People } from '../pages/people';
import { age } from '../support/age';
import { VirtualAuthenticator } from '../support/passkeys';
import { CTRL_C, ENTER, Machine } from '../support/terminal';
import { expect, test } from '../support/test';
import { at } from '../support/url';

// Each of these is refused once for a missing proof, and the first change on a page has no nonce yet.
test.beforeEach(({ watch }) => watch.allowStatus(401));

test('a dialog asks for the password, and the request goes on with what was typed', async ({ server, page }) => {
  const root = await server.person('administrator');
  await new LoginPage(page).signIn(root);
  const people = new People(page);
  await people.open('/dashboard/invitations');
  age(server, root);
  await page.getByLabel('Note (seen').fill('Bob from next door');
  await page.getByRole('button', { name: 'Create invitation' }).click();
  const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' });
  await expect(dialog).toBeVisible();
  await expect(dialog.getByLabel('Your password')).toBeFocused();

  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByLabel('Note (seen')).toHaveValue('Bob from next door');
  expect(new URL(page.url()).pathname).toBe('/dashboard/invitations');

  await page.getByRole('button', { name: 'Create invitation' }).click();
  await dialog.getByLabel('Your password').fill(root.password);
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await expect(people.link).toBeVisible();
  await expect(people.link).toHaveValue(new RegExp(`^${server.origin}/signup#`));
  await people.reloading(() => people.done.click());
  await expect(people.cards.filter({ hasText: 'Bob from next door' })).toHaveCount(1);
});

test('setting up one-time codes asks first, and shows their picture', async ({ server, page }) => {
  const ada = await server.person();
  await new LoginPage(page).signIn(ada);
  await page.goto('/dashboard/keys');
  await page.locator('.who button:enabled').waitFor();
  age(server, ada);
  await page.goto('/dashboard/account');
  await page.locator('.who button:enabled').waitFor();
  await page.getByRole('button', { name: 'Set up one-time codes' }).click();
  const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' });
  await dialog.getByLabel('Your password').fill(ada.password);
  await dialog.getByLabel('Your password').press('Enter');
  await expect(page.getByText('Scan this picture')).toBeVisible();
  await expect(page.getByRole('img', { name: 'QR code for your authenticator app' })).toBeVisible();
});

test.describe('with a passkey', () => {
  test.skip(({ browserName }) => browserName !== 'chromium', 'only Chromium has virtual authenticators');

  test('the dialog takes a passkey, and the request goes on', async ({ server, page }) => {
    const ada = await server.person();
    const authenticator = await VirtualAuthenticator.of(page);
    await new LoginPage(page).signIn(ada);
    await page.goto('/dashboard/account');
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await expect(page.locator('.passkey')).toHaveCount(1);
    await page.getByRole('button', { name: 'Ask for a passkey after the password' }).click();
    await expect(page.locator('.recovery-codes:visible')).toBeVisible();
    await page.getByRole('button', { name: 'Done' }).click();
    await expect(page.getByText('Signing in with your password needs one of your passkeys too.')).toBeVisible();
    age(server, ada);
    await page.goto('/dashboard/account');
    await page.locator('.who button:enabled').waitFor();

    await page.getByRole('button', { name: 'Set up one-time codes' }).click();
    const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' });
    await expect(dialog).toBeVisible();
    await expect(dialog.getByLabel('Code')).toBeVisible();
    const passkey = dialog.getByRole('button', { name: 'Use a passkey' });
    await authenticator.forge({ isBogusSignature: true });
    await passkey.click();
    await expect(dialog.getByRole('alert')).toHaveText('This passkey was not accepted.');
    await authenticator.forge({ isBogusSignature: false });
    await passkey.click();
    await expect(page.getByText('Scan this picture')).toBeVisible();
    await expect(dialog).toBeHidden();
    expect(new URL(page.url()).pathname).toBe('/dashboard/account');
  });
});

test.describe('where a second factor is required', () => {
  test.use({ settings: { 'second_factor.users': 'required' } });
  test.skip(({ browserName }) => browserName !== 'chromium', 'only Chromium has virtual authenticators');

  test('a person sets one up first, and goes on to the page that was wanted', async ({ server, page }) => {
    const ada = await server.person();
    await VirtualAuthenticator.of(page);
    await page.goto('/dashboard/devices');
    const login = new LoginPage(page);
    await login.alive();
    await login.fill(ada);
    await login.button.click();
    await page.waitForURL(/\/dashboard\/second-factor/);
    await expect(page.getByRole('heading', { name: 'Set up a second factor', level: 1 })).toBeVisible();
    await page.goto('/dashboard/activity');
    await page.waitForURL(/\/dashboard\/second-factor\?next=\/dashboard\/activity/);
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await expect(page.locator('.recovery-codes:visible')).toBeVisible();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.waitForURL(`${server.origin}/dashboard/activity`);
    await expect(page.getByRole('heading', { name: 'Activity', level: 1 })).toBeVisible();
  });
});

test.describe('a terminal', () => {
  test('needs a sign-in again if the last proof is old, and the question returns', async ({ server, page }) => {
    const ada = await server.person();
    await new LoginPage(page).signIn(ada);
    const form = { client_id: 'postern-client', scope: 'openid' };
    const asked = await page.request.post(`${server.origin}/oauth/device_authorization`, { form });
    const { user_code: code } = (await asked.json()) as { user_code: string };
    await page.goto(`/device?user_code=${code}`);
    const connect = page.getByRole('button', { name: /^Connect/ });
    await expect(connect).toBeEnabled();
    age(server, ada);
    await connect.click();
    await page.waitForURL((url) => url.pathname === '/login' && url.searchParams.get('why') === 'confirm');
    const login = new LoginPage(page);
    await login.alive();
    await login.fill(ada);
    await login.button.click();
    await page.waitForURL(at(`/device?user_code=${code}`));
    await connect.click();
    await expect(page.getByText('The device is connected.')).toBeVisible();
  });

  test('is signed in by the browser of its machine, and by another one', async ({ server, page, watch }) => {
    const ada = await server.person();
    await new LoginPage(page).signIn(ada);
    const machine = await Machine.make();
    try {
      // This page replaces the machine's browser.
      const terminal = machine.terminalShell(`BROWSER=true "$0" login --browser --no-menu --server ${server.origin}`);
      const [, url] = await terminal.shows(/(http:\/\/\S+\/oauth\/authorize[\s\S]*?dpop_jkt=[\w-]{43})/);
      const address = (url ?? '').replace(/\s/g, '');
      // The answer is sent to a port of the terminal.
      watch.allowOrigin(new URL(new URL(address).searchParams.get('redirect_uri') ?? '').origin);
      await page.goto(address);
      await expect(page.getByRole('heading', { name: 'Continue to Postern in a terminal?' })).toBeVisible();
      await page.getByRole('button', { name: 'Continue' }).click();
      await expect(page.getByText('You can close this page and go back to the terminal.')).toBeVisible();
      await terminal.shows(new RegExp(`Signed in at ${server.origin} as ${ada.name}`));
      expect(await terminal.ended).toBe(0);
      expect((await machine.run(['whoami'])).stdout).toContain(ada.name);

      const another = machine.terminalShell(`"$0" login --device --no-menu --server ${server.origin}`);
      const [, code] = await another.shows(/enter this code: ([A-Z]{4}-[A-Z]{4})/);
      await page.goto(`/device?user_code=${code}`);
      await page.getByRole('button', { name: /^Connect/ }).click();
      await expect(page.getByText('The device is connected.')).toBeVisible();
      await another.shows(/Signed in at/);
      expect(await another.ended).toBe(0);
    } finally {
      await machine.remove();
    }
  });

  test('asks for the password when the server wants to be sure, and goes on', async ({ server, page }) => {
    const root = await server.person('administrator');
    await page.goto('/login');
    const machine = await Machine.make();
    try {
      const signedIn = await machine.run(['login', root.name, '--server', server.origin, '--password-stdin'], `${root.password}\n`);
      expect(signedIn.code).toBe(0);
      age(server, root);
      const terminal = machine.terminal(['menu']);
      await terminal.shows(/Quit, and stay signed in/);
      terminal.type(`${'j'.repeat(4)}${ENTER}`);
      await terminal.shows(/Rotate the signing key/);
      terminal.type(`j${ENTER}`);
      await terminal.shows(/Make a new one\?/);
      terminal.type('y');
      await terminal.shows(/wants to be sure that it is you/);
      await terminal.shows(/Password: $/);
      terminal.line(root.password);
      await terminal.shows(/envelope .* next/);
      await terminal.shows(/Quit, and stay signed in/);
      terminal.type(CTRL_C);
      await terminal.ended;
    } finally {
      await machine.remove();
    }
  });
});
