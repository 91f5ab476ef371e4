import { Dashboard } from '../pages/dashboard';
import { LoginPage } from '../pages/login';
import { Client, sameOrigin } from '../support/client';
import { cookieHeader } from '../support/cookies';
import { expect, test } from '../support/test';
import { at } from '../support/url';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

test('every device is listed, and this one is marked', async ({ page, visit, server }) => {
  const ada = await server.person();
  await new LoginPage(await visit({ userAgent: FIREFOX })).signIn(ada);
  await new LoginPage(page).signIn(ada);
  await expect(page.getByRole('heading', { name: 'Signed in on 2 devices' })).toBeVisible();
  await page.getByRole('link', { name: 'All devices' }).click();

  const { devices } = new Dashboard(page);
  await expect(devices).toHaveCount(2);
  const [mine, other] = [devices.nth(0), devices.nth(1)];
  await expect(mine).toContainText(/Chrom\w+ on Linux/);
  await expect(mine).toContainText('this device');
  await expect(mine.getByRole('button')).toHaveCount(0);
  await expect(other).toContainText('Firefox on Linux');
  await expect(other).not.toContainText('this device');
  for (const device of [mine, other]) {
    await expect(device).toContainText('127.0.0.0/24');
    await expect(device).toContainText('Tied to this browser by a key');
    await expect(device.locator('time').first()).toHaveText('just now');
    await expect(device.locator('time').first()).toHaveAttribute('title', /\d{4}.*\d{1,2}:\d\d:\d\d/);
  }
});

test('one device ends another, which is signed out at its next request', async ({ page, visit, server, watch }) => {
  watch.allowStatus(401);
  const ada = await server.person();
  const far = await visit({ userAgent: FIREFOX });
  await new LoginPage(far).signIn(ada);
  await new LoginPage(page).signIn(ada);
  const dashboard = new Dashboard(page);
  await dashboard.open('/dashboard/devices');
  await dashboard.devices.filter({ hasText: 'Firefox' }).getByRole('button', { name: 'End this session' }).click();
  await expect(dashboard.said).toHaveText('The session of Firefox on Linux has ended.');
  await expect(dashboard.devices).toHaveCount(1);
  await expect(dashboard.heading).toBeFocused();

  await far.goto('/dashboard/activity');
  await far.waitForURL(at('/login'));
  expect(new URL(far.url()).searchParams.get('next')).toBe('/dashboard/activity');
  await expect(far.getByText('Your session has ended.')).toBeVisible();
  await page.reload();
  await expect(dashboard.devices).toHaveCount(1);

  await test.step('and signs in again to where it was', async () => {
    const login = new LoginPage(far);
    await login.alive();
    await login.submit(ada);
    await far.waitForURL(at('/dashboard/activity'));
  });
});

test('all others end together, after a question', async ({ page, visit, server, watch }) => {
  watch.allowStatus(401);
  const ada = await server.person();
  const others = [await visit(), await visit()];
  for (const other of others) await new LoginPage(other).signIn(ada);
  await new LoginPage(page).signIn(ada);
  const dashboard = new Dashboard(page);
  await dashboard.open('/dashboard/devices');
  await expect(dashboard.devices).toHaveCount(3);

  const dialog = page.getByRole('dialog', { name: 'End all other sessions?' });
  await dashboard.endOthers.click();
  await expect(dialog).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await dashboard.endOthers.click();
  await dialog.getByRole('button', { name: 'Keep sessions' }).click();
  await expect(dialog).toBeHidden();
  await expect(dashboard.devices).toHaveCount(3);

  await dashboard.endOthers.click();
  await dialog.getByRole('button', { name: 'End sessions' }).click();
  await expect(dashboard.devices).toHaveCount(1);
  await expect(dashboard.devices).toContainText('this device');
  await expect(dashboard.endOthers).toHaveCount(0);
  for (const other of others) {
    await other.goto('/dashboard');
    await other.waitForURL(at('/login'));
  }
});

test('nobody ends the session of somebody else', async ({ page, context, visit, server }) => {
  const theirs = await visit();
  await new LoginPage(theirs).signIn(await server.person());
  const id = (await (await theirs.request.get('/api/session')).json()).id as string;
  const login = await new Client(server).login(await server.person());
  const me = new Client(server, '127.0.0.1', { authorization: `Bearer ${login.json.tokens.access_token}` });
  const listed = (await me.get('/api/sessions')).json.devices;
  expect(listed).toHaveLength(1);
  expect(listed[0].id).not.toBe(id);
  for (const wrong of [id, 'x', `${id}'--`, '..%2Fsession']) {
    const answer = await me.request('DELETE', `/api/sessions/${wrong}`);
    expect([answer.status, answer.json.code], wrong).toEqual([404, 'not_found']);
  }
  await new LoginPage(page).signIn(await server.person());
  const copy = new Client(server, '127.0.0.1', sameOrigin(server.origin, { cookie: await cookieHeader(context) }));
  const own = (await copy.get('/api/session')).json.id as string;
  const answer = await copy.request('DELETE', `/api/sessions/${own}`);
  expect([answer.status, answer.json.code], 'a copied cookie').toEqual([401, 'bad_proof']);
  await theirs.reload();
  await expect(new Dashboard(theirs).heading).toHaveText('Overview');
});

test('what a device says of itself is text', async ({ page, server }) => {
  const ada = await server.person();
  const agent = '"><img src=x onerror=alert(1)>';
  expect((await new Client(server, '127.0.0.2', { 'user-agent': agent }).login(ada)).status).toBe(200);
  expect((await new Client(server, '127.0.0.3', { 'user-agent': 'postern-client/1.0' }).login(ada)).status).toBe(200);
  await new LoginPage(page).signIn(ada);
  const dashboard = new Dashboard(page);
  await dashboard.open('/dashboard/devices');
  await expect(dashboard.devices).toHaveCount(3);
  await expect(dashboard.devices.filter({ hasText: 'postern-client' })).toContainText('Not tied to a device');
  await expect(page.locator('.device img')).toHaveCount(0);
});
