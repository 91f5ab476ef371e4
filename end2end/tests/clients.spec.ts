import type { Page } from '@playwright/test';
import { LoginPage } from '../pages/login';
import { LOOKS, faults } from '../support/axe';
import { expect, test } from '../support/test';
import { at } from '../support/url';

/** Opens the form for a new client. Without clients it is open from the start. */
async function unfold(page: Page): Promise<void> {
  const fold = page.locator('#add');
  if (!(await fold.evaluate((details: HTMLDetailsElement) => details.open))) await fold.locator('summary').click();
}

test('an administrator adds a client, changes it, gets a new secret, disables and removes it', async ({ page, server, watch }) => {
  // The first change on a page is refused with the nonce for its proof.
  watch.allowStatus(401);
  await new LoginPage(page).signIn(await server.person('administrator'));
  await page.goto('/dashboard/clients');
  await unfold(page);
  const add = page.getByRole('button', { name: 'Add client' });
  await expect(add).toBeEnabled();
  await page.getByLabel('App', { exact: true }).selectOption('Nextcloud');
  await page.getByLabel('Client id').fill('cloud');
  await page.getByLabel('Name that people see').fill('Cloud');
  const dialog = page.getByRole('dialog');

  await test.step('what is missing is said, and nothing is lost', async () => {
    watch.allowStatus(400);
    await add.click();
    await expect(page.locator('#said')).toHaveText('url: a preset needs the address of the app.');
    await expect(page.getByLabel('Client id')).toHaveValue('cloud');
  });

  await page.getByLabel('Address of the app').fill('https://cloud.example.com/');
  await add.click();
  await expect(dialog.getByLabel('Secret')).toHaveValue(/^[\w-]{43}$/);
  const first = await dialog.getByLabel('Secret').inputValue();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await expect(page.getByText('https://cloud.example.com/apps/user_oidc/code')).toBeVisible();
  expect(await page.content()).not.toContain(first);

  await page.getByRole('link', { name: 'Cloud' }).click();
  await page.waitForURL(at('/dashboard/clients/client?id=cloud'));
  const save = page.getByRole('button', { name: 'Save settings' });
  await expect(save).toBeEnabled();
  await page.getByLabel('Redirect URIs, one per line').fill('https://cloud.example.com/one\nhttps://cloud.example.com/two');
  await page.getByLabel('Second factor that it needs').selectOption('Two factors');
  await save.click();
  await expect(page.locator('#said')).toHaveText('The client is changed.');
  await expect(page.getByLabel('Redirect URIs, one per line')).toHaveValue('https://cloud.example.com/one\nhttps://cloud.example.com/two');
  await expect(page.getByLabel('Second factor that it needs')).toHaveValue('required');

  await page.getByRole('button', { name: 'Make a new secret' }).click();
  await expect(dialog.getByLabel('Secret')).toHaveValue(/^[\w-]{43}$/);
  expect(await dialog.getByLabel('Secret').inputValue()).not.toBe(first);
  await dialog.getByRole('button', { name: 'Done' }).click();

  await page.getByRole('button', { name: 'Disable Cloud' }).click();
  await dialog.getByRole('button', { name: 'Disable client' }).click();
  await expect(page.getByRole('button', { name: 'Enable Cloud' })).toBeEnabled();
  await page.getByRole('button', { name: 'Remove Cloud' }).click();
  watch.allowStatus(404);
  await dialog.getByRole('button', { name: 'Remove client' }).click();
  await expect(page.getByRole('heading', { level: 1 })).not.toHaveText('Cloud');
});

test.describe('the pages of clients', () => {
  test.use({ bypassCSP: true });
  for (const [name, media] of Object.entries(LOOKS)) {
    test(`have no faults in ${name}`, async ({ page, server, watch }) => {
      watch.allowStatus(401);
      await page.emulateMedia(media);
      await new LoginPage(page).signIn(await server.person('administrator'));
      const uri = 'https://wiki.example.com/a/rather/long/path/of/a/callback/of/an/app';
      await server.command(['client', 'add', '--redirect-uri', uri, '--name', `Wiki in ${name}`, `wiki-${name}`]);
      await page.goto('/dashboard/clients?request=client_id%3Dnobody');
      await unfold(page);
      await expect(page.getByRole('button', { name: 'Add client' })).toBeEnabled();
      await expect(page.getByText('Refused.')).toBeVisible();
      expect(await faults(page)).toEqual([]);
      await page.goto(`/dashboard/clients/client?id=wiki-${name}`);
      await expect(page.getByRole('button', { name: 'Save settings' })).toBeEnabled();
      expect(await faults(page)).toEqual([]);
    });
  }
});

test('no name of an app makes a page wider than a phone', async ({ visit, server, watch }) => {
  // The page of a refused request.
  watch.allowStatus(400);
  const person = await server.person('administrator');
  const id = 'c'.repeat(64);
  const uri = `https://${'a'.repeat(60)}.example.com/${'p'.repeat(300)}`;
  const names = ['--name', 'W'.repeat(60), '--url', `https://${'a'.repeat(60)}.example.com/`];
  const added = await server.command(['client', 'add', '--redirect-uri', uri, ...names, id]);
  expect(added.code, added.stderr).toBe(0);
  expect((await server.command(['client', 'set', id, 'device=true'])).code).toBe(0);
  const shown = await server.command(['user', 'set', person.name, '--display-name', 'W'.repeat(64), '--email', `${'w'.repeat(60)}@${'w'.repeat(60)}.example.com`]);
  expect(shown.code, shown.stderr).toBe(0);
  const page = await visit({ viewport: { width: 360, height: 740 } });
  await new LoginPage(page).signIn(person);
  const request = (to: string) =>
    `/oauth/authorize?${new URLSearchParams({
      client_id: id,
      redirect_uri: to,
      response_type: 'code',
      scope: 'openid profile email groups offline_access',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    })}`;
  const form = { client_id: id, client_secret: /client secret\s+(\S+)/.exec(added.stdout)?.[1] ?? '', scope: 'openid' };
  const device = (await (await page.request.post('/oauth/device_authorization', { form })).json()) as { user_code: string };
  for (const [path, heading] of [
    [request(uri), /^Continue to W+\?$/],
    [request(`${uri}x`), "The app's request was refused"],
    [`/device?user_code=${device.user_code}`, /W/],
    [`/oauth/logout?client_id=${id}`, 'Sign out?'],
    ['/dashboard', 'Overview'],
    ['/dashboard/account', 'Account'],
    ['/dashboard/account/profile', /./],
    ['/dashboard/clients', 'Clients'],
    [`/dashboard/clients/client?id=${id}`, /W/],
  ] as const) {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(heading);
    expect.soft(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(360);
  }
});
