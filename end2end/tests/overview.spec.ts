import { LoginPage } from '../pages/login';
import { Client } from '../support/client';
import { expect, test } from '../support/test';
import { newPassword } from '../support/server';

test.use({ alone: true });

test('an administrator sees at a glance whether everything is well', async ({ page, server }) => {
  const ada = await server.person('administrator');
  await new LoginPage(page).signIn(ada);
  const site = page.getByRole('region', { name: 'This site' });
  // The tests hash passwords with too little memory, which the self-check reports.
  await expect(site).toContainText('1 problem needs your attention.');
  await expect(site).toContainText('argon2id uses 64 KiB');
  await expect(site.getByText('No backup was made here yet.')).toBeHidden();
  await site.getByText('recommendation').click();
  await expect(site.getByText('No backup was made here yet.')).toBeVisible();
  await expect(site.getByRole('listitem').filter({ hasText: 'Sign-ins 1' })).toContainText(/1 in this hour|1 an hour ago/);
  await expect(site.getByRole('listitem').filter({ hasText: 'Refusals 0' })).toContainText('none');
  await expect(site).toContainText(/Bans\s*none in force/);
  await expect(site).toContainText(/Last backup\s*none yet/);
  await expect(site).toContainText(/Signing key\s*made/);

  await new Client(server, '127.0.0.88').login({ ...ada, password: newPassword() });
  await server.command(['ban', 'add', '203.0.113.12', '--for', '1h', '--reason', 'A test.']);
  await expect(async () => {
    await page.reload();
    await expect(site).toContainText(/Bans\s*[12] in force/, { timeout: 200 });
  }).toPass();
  await expect(site.getByRole('listitem').filter({ hasText: 'Refusals 1' })).toContainText(/1 in this hour|1 an hour ago/);

  const names = ['Sign-ins', 'Refusals', 'Accounts', 'Bans', 'Last backup', 'Signing key', 'Envelope key', 'Version', /^Audit log/, /argon2id uses 64 KiB/];
  for (const name of names) {
    await site.getByRole('link', { name, exact: true }).click();
    await expect(page.getByRole('heading', { level: 1 }), String(name)).not.toHaveText('Overview');
    await page.goBack();
  }
});
