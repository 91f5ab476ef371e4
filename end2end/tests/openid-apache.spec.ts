import { mkdirSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { type Page } from '@playwright/test';
import * as client from 'openid-client';
import { LoginPage } from '../pages/login';
import { apache, log, places } from '../support/apache';
import { Folder, registrations, SECRET, settingsOf } from '../support/relying-party';
import { freePort, type Person } from '../support/server';
import { expect, test as base } from '../support/test';

// Apache as a relying party and as a resource server, with Debian's modules and the configuration of their pages.

const test = base.extend<{}, { appPort: number; folder: Folder }>({
  appPort: [async ({}, use) => use(await freePort()), { scope: 'worker' }],
  folder: [
    async ({}, use) => {
      const folder = new Folder();
      await use(folder);
      folder.remove();
    },
    { scope: 'worker' },
  ],
  settings: async ({ appPort }, use) => {
    const app = `https://localhost:${appPort}`;
    await use({ clients: `[${[...registrations('mod_auth_openidc.md', app), ...registrations('mod_oauth2.md', app)].join(', ')}]` });
  },
  authority: async ({ folder }, use) => use(folder.certificate),
  watch: async ({ watch, appPort }, use) => {
    watch.allowOrigin(`https://localhost:${appPort}`);
    watch.allowStatus(401, 404);
    await use(watch);
  },
});

test.use({ ignoreHTTPSErrors: true });

async function signIn(page: Page, person: Person): Promise<void> {
  const login = new LoginPage(page);
  await login.alive();
  await login.fill(person);
  await login.button.click();
}

function publish(folder: Folder, pages: Record<string, string>): void {
  for (const [path, text] of Object.entries(pages)) {
    mkdirSync(join(folder.path, 'htdocs', path), { recursive: true });
    writeFileSync(join(folder.path, 'htdocs', path, 'index.html'), `<!doctype html><title>Apache</title><h1>${text}</h1>`);
  }
}

test('mod_auth_openidc guards a site, and its session ends with the one at the portal', async ({ server, page, appPort, folder, watch }) => {
  const app = `https://localhost:${appPort}`;
  const [site = ''] = settingsOf('mod_auth_openidc.md', 'apache', {
    'https://auth.example.com': server.origin,
    'https://app.example.com': app,
    'the secret of the client': SECRET,
    ...places(folder, appPort, 'app.example.com'),
  });
  publish(folder, { '.': 'Inside', staff: 'For the staff', 'signed-out': 'Signed out' });
  const peer = await apache(folder, appPort, ['auth_openidc'], site);
  try {
    const person = await server.person();
    const heading = page.getByRole('heading');
    await page.goto(`${app}/`);
    await signIn(page, person);
    await expect(heading).toHaveText('Inside');
    expect(page.url()).toBe(`${app}/`);

    await test.step('a group opens a folder', async () => {
      watch.allowStatus(401);
      expect((await page.goto(`${app}/staff/`))?.status()).toBe(401);
      expect((await server.command(['group', 'add', 'staff'])).code).toBe(0);
      expect((await server.command(['user', 'set', person.name, '--groups', 'staff'])).code).toBe(0);
      await page.context().clearCookies({ name: 'mod_auth_openidc_session' });
      await page.goto(`${app}/staff/`);
      await expect(heading).toHaveText('For the staff');
    });

    await test.step('an operator ends the session', async () => {
      expect((await server.command(['session', 'end', person.name])).code).toBe(0);
      await expect
        .poll(async () => {
          await page.goto(`${app}/`);
          return new URL(page.url()).origin;
        })
        .toBe(server.origin);
    });

    await test.step('sign-out at the app', async () => {
      await signIn(page, person);
      await expect(heading).toHaveText('Inside');
      await page.goto(`${app}/oidc/callback?logout=${encodeURIComponent(`${app}/signed-out/`)}`);
      await expect(heading).toHaveText('Signed out');
      await page.goto(`${app}/`);
      await page.waitForURL(`${server.origin}/login?**`);
    });
  } catch (error) {
    throw new Error(`Apache wrote: ${log(folder)}`, { cause: error });
  } finally {
    await peer.end();
  }
});

/** Returns the status of a request with an access token. */
function status(url: string, token?: string): Promise<number | undefined> {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  return new Promise((resolve, reject) => {
    get(url, { headers, rejectUnauthorized: false, agent: false }, (answer) => resolve(answer.resume().statusCode)).once('error', reject);
  });
}

test('mod_oauth2 accepts tokens for its resource, by their signature and by introspection', async ({ server, page, appPort, folder }) => {
  const api = `https://localhost:${appPort}`;
  const [site = ''] = settingsOf('mod_oauth2.md', 'apache', {
    'https://auth.example.com': server.origin,
    'the%20secret': SECRET,
    'ServerName api.example.com': 'ServerName localhost',
    ...places(folder, appPort, 'api.example.com'),
  });
  publish(folder, { jwt: 'By signature', introspected: 'By introspection' });
  const peer = await apache(folder, appPort, ['oauth2'], site);
  try {
    const person = await server.person();
    const config = await client.discovery(new URL(server.origin), 'api-user', SECRET, undefined, { execute: [client.allowInsecureRequests] });
    const token = async (more: Record<string, string>) => {
      const verifier = client.randomPKCECodeVerifier();
      const code_challenge = await client.calculatePKCECodeChallenge(verifier);
      const url = client.buildAuthorizationUrl(config, { redirect_uri: `${api}/callback`, scope: 'openid', code_challenge, code_challenge_method: 'S256', ...more });
      await page.goto(url.href);
      const form = page.locator('form[data-step=ready]');
      await expect.poll(async () => page.url().startsWith(`${api}/callback`) || (await form.isVisible())).toBe(true);
      if (!page.url().startsWith(api)) await signIn(page, person);
      await page.waitForURL(`${api}/callback?**`);
      return (await client.authorizationCodeGrant(config, new URL(page.url()), { pkceCodeVerifier: verifier }, more)).access_token;
    };
    const [bare, meant] = [await token({}), await token({ resource: 'https://api.example.com' })];
    for (const folder of ['jwt', 'introspected']) {
      expect(await status(`${api}/${folder}/`), folder).toBe(401);
      expect(await status(`${api}/${folder}/`, bare), `${folder}: for no resource`).toBe(401);
      expect(await status(`${api}/${folder}/`, `${meant.slice(0, -8)}AAAAAAAA`), `${folder}: forged`).toBe(401);
      expect(await status(`${api}/${folder}/`, meant), folder).toBe(200);
    }
    expect((await server.command(['session', 'end', person.name])).code).toBe(0);
    await expect.poll(() => status(`${api}/introspected/`, meant)).toBe(401);
    expect(await status(`${api}/jwt/`, meant), 'until it expires').toBe(200);
  } catch (error) {
    throw new Error(`Apache wrote: ${log(folder)}`, { cause: error });
  } finally {
    await peer.end();
  }
});
