import { Dashboard } from '../pages/dashboard';
import { LoginPage } from '../pages/login';
import { Client } from '../support/client';
import { newPassword } from '../support/server';
import { expect, test } from '../support/test';
import { at } from '../support/url';

test('what happened to an account stands there in sentences', async ({ page, visit, server, watch }) => {
  watch.allowStatus(401);
  const ada = await server.person();
  const login = new LoginPage(page);
  await login.open();
  await login.submit({ ...ada, password: newPassword() });
  await expect(login.alert).toContainText('Wrong name or password.');
  await expect(login.button).toBeEnabled();
  await login.submit(ada);
  await page.waitForURL(at('/dashboard'));
  await expect(page.getByText('Check whether the marked event was you.')).toBeVisible();

  const dashboard = new Dashboard(page);
  await dashboard.leave();
  const other = await visit();
  await new LoginPage(other).signIn(ada);
  await login.signIn(ada);
  await dashboard.open('/dashboard/devices');
  await dashboard.devices.getByRole('button', { name: 'End this session' }).click();
  await expect(dashboard.devices).toHaveCount(1);

  await dashboard.open('/dashboard/activity');
  const device = /Chrom\w+ on Linux/.source;
  const expected = [
    /^A session was ended from another device$/,
    new RegExp(`^Signed in with ${device}$`),
    new RegExp(`^Signed in on a new device with ${device}$`),
    new RegExp(`^Signed out with ${device}$`),
    new RegExp(`^Signed in with ${device}$`),
    /^A wrong password from 127\.0\.0\.0\/24$/,
    /^The account was created$/,
  ];
  await expect(dashboard.events).toHaveCount(expected.length);
  const sentences = await dashboard.sentences();
  expected.forEach((sentence, index) => expect(sentences[index]).toMatch(sentence));
  await expect(page.locator('.day h2')).toHaveText(['Today']);
  await expect(dashboard.events.filter({ hasText: 'wrong password' })).toHaveClass(/odd/);
  await expect(dashboard.events.first().locator('time')).toHaveText(/^\d{1,2}:\d\d/);
});

test('wrong passwords in a row are counted', async ({ page, server }) => {
  const ada = await server.person();
  const client = new Client(server, '127.0.0.44', { 'user-agent': 'postern-client/1.0' });
  for (let time = 0; time < 2; time += 1) {
    await expect.poll(async () => (await client.get('/api/challenge')).status).toBe(200);
    expect((await client.login({ ...ada, password: newPassword() })).status).toBe(401);
  }
  await new LoginPage(page).signIn(ada);
  await new Dashboard(page).open('/dashboard/activity');
  await expect(page.getByText('2 wrong passwords from 127.0.0.0/24')).toBeVisible();
  await expect(page.getByText('postern-client')).toBeVisible();
});

test('everybody reads about their own account only', async ({ page, server }) => {
  const [ada, bob] = [await server.person(), await server.person()];
  await new Client(server, '127.0.0.45').login({ ...bob, password: newPassword() });
  await new LoginPage(page).signIn(ada);
  await expect(page.getByText('Nothing unusual in the last 7 days.')).toBeVisible();
  const dashboard = new Dashboard(page);
  await dashboard.open('/dashboard/activity');
  await expect(dashboard.events).toHaveCount(2);
});
