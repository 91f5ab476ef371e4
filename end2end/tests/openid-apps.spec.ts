import type { Page } from '@playwright/test';
import { LoginPage } from '../pages/login';
import { Folder, Peer, registrations, settingsOf, Terminator } from '../support/relying-party';
import { freePort, type Person } from '../support/server';
import { expect, test as base } from '../support/test';

// Apps with servers of their own, set up as in their pages in docs/clients, each behind TLS at
// `https://localhost:PORT`.

interface Place {
  /** The port for browsers, behind TLS. */
  https: number;
  /** The app's own port. */
  port: number;
}

const PAGES = ['express-openid-connect.md', 'authlib.md', 'jupyterhub.md'] as const;
const [EXPRESS, AUTHLIB, JUPYTERHUB] = [0, 1, 2] as const;

const test = base.extend<{}, { places: Place[]; folder: Folder }>({
  places: [async ({}, use) => use(await Promise.all(PAGES.map(async () => ({ https: await freePort(), port: await freePort() })))), { scope: 'worker' }],
  folder: [
    async ({}, use) => {
      const folder = new Folder();
      await use(folder);
      folder.remove();
    },
    { scope: 'worker' },
  ],
  settings: async ({ places }, use) => use({ clients: `[${PAGES.flatMap((page, at) => registrations(page, origin(places[at]))).join(', ')}]` }),
  authority: async ({ folder }, use) => use(folder.certificate),
  watch: async ({ watch, places }, use) => {
    watch.allowOrigin(...places.map(origin));
    // The apps have no icon, and find out the end of a session by a request.
    watch.allowStatus(401, 404);
    await use(watch);
  },
});

test.use({ ignoreHTTPSErrors: true });

function origin(place: Place | undefined): string {
  return `https://localhost:${place?.https}`;
}

async function signIn(page: Page, person: Person): Promise<void> {
  const login = new LoginPage(page);
  await login.alive();
  await login.fill(person);
  await login.button.click();
}

/** Runs a test with an app and a TLS terminator in front of it. */
async function withApp(place: Place, folder: Folder, start: () => Promise<Peer>, run: (peer: Peer) => Promise<void>): Promise<void> {
  const tls = await Terminator.start(place.https, place.port, folder);
  const peer = await start();
  try {
    await run(peer);
  } catch (error) {
    throw new Error(`the app wrote: ${peer.log}`, { cause: error });
  } finally {
    await peer.end();
    await tls.end();
  }
}

test('express-openid-connect takes form_post, and its session ends with the one at the portal', async ({ server, page, places, folder }) => {
  const place = places[EXPRESS] as Place;
  const app = origin(place);
  const [text = ''] = settingsOf('express-openid-connect.md', 'js', { 'https://auth.example.com': server.origin, 'https://app.example.com': app, '3001': String(place.port) });
  const file = folder.write('express.js', text);
  const env = { NODE_PATH: `${__dirname}/../node_modules`, SESSION_SECRET: 'a secret of the session' };
  const person = await server.person();
  await withApp(place, folder, () => Peer.start(['node', file], place.port, folder.path, env), async () => {
    const posted = page.waitForRequest((request) => request.url() === `${app}/callback`);
    await page.goto(`${app}/me`);
    await signIn(page, person);
    await page.waitForURL(`${app}/me`);
    expect((await posted).method()).toBe('POST');
    expect(JSON.parse((await page.locator('body').textContent()) ?? '')).toMatchObject({ preferred_username: person.name, groups: [] });

    await test.step('a second app session through the same session at the portal', async () => {
      await page.context().clearCookies({ name: 'appSession' });
      await page.goto(`${app}/me`);
      await page.waitForURL(`${app}/me`);
    });

    await test.step('an operator ends the session', async () => {
      expect((await server.command(['session', 'end', person.name])).code).toBe(0);
      await expect
        .poll(async () => {
          await page.goto(app);
          return page.locator('body').textContent();
        })
        .toBe('signed out');
    });

    await test.step('sign-out at the app', async () => {
      await page.goto(`${app}/me`);
      await signIn(page, person);
      await page.waitForURL(`${app}/me`);
      await page.goto(`${app}/logout`);
      await page.waitForURL(`${app}/`);
      await expect(page.locator('body')).toHaveText('signed out');
      await page.goto(`${app}/me`);
      await page.waitForURL(`${server.origin}/login?**`);
    });
  });
});

test('Authlib signs a person in and out', async ({ server, page, places, folder }) => {
  const place = places[AUTHLIB] as Place;
  const app = origin(place);
  const [text = ''] = settingsOf('authlib.md', 'python', { 'https://auth.example.com': server.origin, 'https://app.example.com': app });
  folder.write('authlib_app.py', text);
  const command: [string, ...string[]] = ['flask', '--app', 'authlib_app', 'run', '--port', String(place.port)];
  const person = await server.person();
  await withApp(place, folder, () => Peer.start(command, place.port, folder.path, { SESSION_SECRET: 'a secret of the session' }), async () => {
    await page.goto(`${app}/`);
    await signIn(page, person);
    await page.waitForURL(`${app}/`);
    const claims = JSON.parse((await page.locator('body').textContent()) ?? '');
    expect(claims).toMatchObject({ iss: server.origin, aud: 'flask', preferred_username: person.name, groups: [] });
    await page.goto(`${app}/logout`);
    await page.waitForURL(`${app}/signed-out?**`);
    await expect(page.locator('body')).toHaveText('Signed out');
    await page.goto(`${app}/`);
    await page.waitForURL(`${server.origin}/login?**`);
  });
});

test('JupyterHub knows people and their groups', async ({ server, page, places, folder }) => {
  // Three programs are started, which takes a while on a busy machine.
  test.setTimeout(120_000);
  const place = places[JUPYTERHUB] as Place;
  const app = origin(place);
  const [hub, proxy] = [await freePort(), await freePort()];
  const [text = ''] = settingsOf('jupyterhub.md', 'python', { 'https://auth.example.com': server.origin, 'https://app.example.com': app, '127.0.0.1:8000': `127.0.0.1:${place.port}` });
  const file = folder.write('jupyterhub_config.py', text);
  const command: [string, ...string[]] = ['jupyterhub', '-f', file, `--JupyterHub.hub_bind_url=http://127.0.0.1:${hub}`, `--ConfigurableHTTPProxy.api_url=http://127.0.0.1:${proxy}`];
  // JupyterHub converts names to lower case.
  const person = await server.person();
  expect((await server.command(['group', 'add', 'jupyter-admins'])).code).toBe(0);
  expect((await server.command(['user', 'set', person.name, '--groups', 'jupyter-admins'])).code).toBe(0);
  await withApp(place, folder, () => Peer.start(command, place.port, folder.path), async () => {
    const health = () => fetch(`http://127.0.0.1:${place.port}/hub/health`);
    await expect.poll(async () => (await health()).status, { timeout: 60_000 }).toBe(200);
    await page.goto(`${app}/hub/home`);
    await page.getByRole('button', { name: 'Sign in with Postern' }).click();
    await signIn(page, person);
    await page.waitForURL(`${app}/hub/home`);
    await expect(page.getByRole('navigation')).toContainText(person.name);

    await test.step('a member of the group is an administrator there', async () => {
      await page.goto(`${app}/hub/admin#/groups`);
      await expect(page.getByText('jupyter-admins')).toBeVisible();
    });

    await test.step('sign-out at the app asks, and leads back to it', async () => {
      await page.goto(`${app}/hub/logout`);
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.waitForURL(`${app}/hub/login**`);
      await page.getByRole('button', { name: 'Sign in with Postern' }).click();
      await page.waitForURL(`${server.origin}/login?**`);
    });
  });
});
