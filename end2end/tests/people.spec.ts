import { Dashboard } from '../pages/dashboard';
import { LoginPage } from '../pages/login';
import { People } from '../pages/people';
import { newPassword } from '../support/server';
import { expect, test } from '../support/test';
import { totp } from '../support/totp';
import { at } from '../support/url';

test.use({ alone: true });

test('an old tab of another account changes nothing and says who is signed in', async ({ context, page, server, watch }) => {
  watch.allowStatus(400, 401, 409);
  const [ada, bob] = [await server.person(), await server.person()];
  await new LoginPage(page).signIn(ada);
  await page.goto('/dashboard/account/profile');
  const save = page.getByRole('button', { name: 'Save profile' });
  await expect(save).toBeEnabled();

  const other = await context.newPage();
  const dashboard = new Dashboard(other);
  await dashboard.open();
  await dashboard.leave();
  await new LoginPage(other).signIn(bob);

  await page.getByLabel('Display name').fill('Ada');
  await save.click();
  const note = page.locator('#other-account');
  await expect(note).toContainText(`You are signed in as ${bob.name} in another tab`);
  await note.getByRole('link', { name: 'Reload this page' }).click();
  await expect(new Dashboard(page).name).toHaveText(bob.name);
  await expect(page.getByLabel('Display name')).toHaveValue('');
});

test('what was typed is there again after a session has ended', async ({ context, page, server, watch }) => {
  watch.allowStatus(401);
  const ada = await server.person();
  const login = new LoginPage(page);
  await login.signIn(ada);
  await page.goto('/dashboard/account/profile');
  const save = page.getByRole('button', { name: 'Save profile' });
  await expect(save).toBeEnabled();
  await page.getByLabel('Display name').fill('Ada Lovelace');
  await context.clearCookies();
  await save.click();
  await page.waitForURL(/\/login\?/);
  await login.alive();
  await login.submit(ada);
  await page.waitForURL(at('/dashboard/account/profile'));
  await expect(page.getByLabel('Display name')).toHaveValue('Ada Lovelace');
  await expect(page.locator('#said')).toContainText('Your text is still here');
  await expect(save).toBeFocused();
  await save.click();
  await expect(page.locator('#said')).toHaveText('Your profile is changed.');
});

test('after a removal the page says so, and the focus is at its heading', async ({ page, server, watch }) => {
  watch.allowStatus(401);
  await new LoginPage(page).signIn(await server.person('administrator'));
  const cook = await server.person();
  const people = new People(page);
  await people.open('/dashboard/users');
  await people.manage(cook.name);
  await page.getByRole('button', { name: `Delete ${cook.name}`, exact: true }).click();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: `Delete ${cook.name}`, exact: true })).toBeFocused();
  await page.keyboard.press('Enter');
  await people.reloading(() => page.getByRole('button', { name: 'Delete account' }).click());
  await expect(people.said).toContainText('Done: Delete account.');
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
});

test('an invitation that a signed-in person opens can still be used', async ({ page, server, watch }) => {
  watch.allowStatus(401);
  const ada = await server.person('administrator');
  await new LoginPage(page).signIn(ada);
  const people = new People(page);
  await people.open('/dashboard/invitations');
  const link = await people.invite('the cook');
  await page.goto(link);
  await expect(page.getByText(`You are signed in as ${ada.name}.`)).toBeVisible();
  await page.getByRole('button', { name: 'Sign out and continue' }).click();
  const login = new LoginPage(page);
  await login.alive();
  await login.submit({ name: 'cook', password: newPassword() });
  await expect(new Dashboard(page).name).toHaveText('cook');
});

test('no name makes a page wider than a phone', async ({ visit, server }) => {
  const name = `m${'W'.repeat(62)}m`;
  const password = newPassword();
  const added = await server.command(['user', 'add', name, '--role', 'administrator'], `${password}\n`);
  expect(added.code, added.stderr).toBe(0);
  const shown = '\u05e9\u05dc\u05d5\u05dd'.repeat(25);
  expect((await server.command(['user', 'set', name, '--display-name', shown])).code).toBe(0);
  expect((await server.command(['group', 'add', 'g'.repeat(64)])).code).toBe(0);
  const ban = ['ban', 'add', '2001:db8:1234:5678::/64', '--for', '1h', '--reason', 'r'.repeat(190)];
  expect((await server.command(ban)).code).toBe(0);
  const page = await visit({ viewport: { width: 360, height: 740 } });
  await new LoginPage(page).signIn({ name, password });
  for (const path of ['', '/devices', '/keys', '/activity', '/account', '/account/profile', '/users', '/groups', '/bans', '/audit']) {
    await page.goto(`/dashboard${path}`);
    expect.soft(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(360);
  }
});

test('recovery codes can be printed, and nothing else is on the paper', async ({ page, server, watch }) => {
  watch.allowStatus(401);
  await new LoginPage(page).signIn(await server.person());
  await page.goto('/dashboard/account');
  await page.getByRole('button', { name: 'Set up one-time codes' }).click();
  await expect(page.locator('.secret')).not.toBeEmpty();
  const code = totp(String(await page.locator('.secret').textContent()));
  await page.getByLabel('The six digits').fill(` ${code.slice(0, 3)} - ${code.slice(3)} `);
  await page.getByRole('button', { name: 'Turn on' }).click();
  await expect(page.locator('.recovery-codes', { hasText: '-' })).toBeVisible();
  await page.emulateMedia({ media: 'print' });
  await expect(page.locator('.recovery-codes', { hasText: '-' })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Change password' })).toBeHidden();
});
