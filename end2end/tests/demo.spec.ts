import { Dashboard } from '../pages/dashboard';
import { LoginPage } from '../pages/login';
import { SignupPage } from '../pages/signup';
import { TimePage } from '../pages/time';
import { Client } from '../support/client';
import { freePort, newPassword } from '../support/server';
import { expect, test as base } from '../support/test';

const NAME = 'margarethe';

const test = base.extend<{ app: string }, { ports: [number, number, number] }>({
  ports: [async ({}, use) => use([await freePort(), await freePort(), await freePort()]), { scope: 'worker' }],
  app: async ({ ports }, use) => use(`http://hello.localhost:${ports[2]}`),
  settings: async ({ ports: [time, tcp], app }, use) =>
    use({
      'time.url': `ws://localhost:${time}/time`,
      'time.tcp': `localhost:${tcp}`,
      apps: `[{ name = "hello", origin = "${app}" }]`,
    }),
});

test.use({ verb: 'demo' });

test('one command shows the portal, the time and an app that knows who is signed in', async ({ page, server, app, watch, visit }) => {
  const bare = app.replace('hello.localhost', '127.0.0.1');
  watch.allowOrigin(app, bare);
  // Browsers request a favicon from every site; this one has none, and refuses strangers.
  watch.allowStatus(401, 404);
  expect(server.greeting.join('\n')).toContain(app);
  const person = { name: NAME, password: newPassword() };
  await new SignupPage(page).signUp(person, server.setupLink);

  await test.step('the time ticks', async () => {
    const time = new TimePage(page);
    await time.open();
    await time.start();
    await expect(time.clock).toHaveText(/\d\d:\d\d:\d\d/);
  });

  const other = await page.context().newPage();
  await test.step('the app greets by name, also where one comes by another name of this machine', async () => {
    for (const address of [app, bare]) {
      await other.goto(address);
      await other.waitForURL((url) => url.origin === app);
      await expect(other.getByText(`Hello, ${NAME}!`)).toBeVisible();
    }
    expect((await page.context().cookies(app)).map(({ name }) => name).sort()).toEqual(['__Host-postern-app']);
  });

  await test.step('what a client says of itself counts for nothing', async () => {
    const lies = { 'remote-user': NAME, 'x-forwarded-host': 'elsewhere.test', connection: 'close, x-forwarded-uri', authorization: 'Bearer x' };
    const stranger = new Client({ origin: app, port: Number(new URL(app).port) }, '127.0.0.1', lies);
    expect((await stranger.get('/')).status).toBe(401);
  });

  await test.step('signed out at the portal, the app lets nobody in', async () => {
    await page.goto('/dashboard');
    await new Dashboard(page).leave();
    await other.goto(app);
    await new LoginPage(other).alive();
    expect(new URL(other.url()).origin).toBe(server.origin);
    await new LoginPage(other).submit(person);
    await other.waitForURL(`${app}/`);
    await expect(other.getByText(`Hello, ${NAME}!`)).toBeVisible();
  });

  await test.step('and another browser is led to sign in', async () => {
    const stranger = await visit();
    await stranger.goto(app);
    await new LoginPage(stranger).alive();
  });
});
