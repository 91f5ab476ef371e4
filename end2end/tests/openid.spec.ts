import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server as HttpServer } from 'node:http';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { LoginPage } from '../pages/login';
import { registrations, runCode, SECRET, settingsOf } from '../support/relying-party';
import { freePort, type Person } from '../support/server';
import { expect, test as base } from '../support/test';

// Apps of other projects sign people in, each with the settings of its page in docs/clients.

/** The key of the client that has no secret. */
const KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' });

function registration(page: string, app: string): string {
  const { x = '', y = '' } = KEY.publicKey.export({ format: 'jwk' });
  return registrations(page, app).join(', ').replace('X of the public key', x).replace('Y of the public key', y);
}

const test = base.extend<{ app: HttpServer }, { appPort: number }>({
  appPort: [async ({}, use) => use(await freePort()), { scope: 'worker' }],
  settings: async ({ appPort }, use) => {
    const app = `http://localhost:${appPort}`;
    const [node = ''] = registrations('openid-client.md', app);
    const asking = node.replace('node-app', 'stranger').replace('{ ', '{ consent = true, ').replace('Node app', "A stranger's app");
    const all = [...['openid-client.md', 'oauth4webapi.md', 'oidc-client-ts.md'].map((page) => registration(page, app)), asking];
    await use({ clients: `[${all.join(', ')}]` });
  },
  /** The app's own server: its pages show the URL at which a browser has arrived. */
  app: async ({ appPort, watch }, use) => {
    const library = readFileSync(join(__dirname, '../node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js'));
    const server = createServer((request, response) => {
      if (request.url === '/oidc-client-ts.js') response.setHeader('content-type', 'text/javascript').end(library);
      else response.setHeader('content-type', 'text/html').end('<!doctype html><link rel="icon" href="data:,"><title>App</title><script src="/oidc-client-ts.js"></script><h1>App</h1>');
    });
    await new Promise<void>((resolve) => server.listen(appPort, '127.0.0.1', resolve));
    watch.allowOrigin(`http://localhost:${(server.address() as AddressInfo).port}`);
    await use(server);
    await new Promise((resolve) => server.close(resolve));
  },
});

/** Signs in on the page to which a URL leads. */
async function signIn(page: Page, person: Person): Promise<void> {
  const login = new LoginPage(page);
  await login.alive();
  await login.fill(person);
  await login.button.click();
}

/** Presses the button of the page that asks about an app on the person's own device. */
async function agree(page: Page): Promise<void> {
  await expect(page.getByText('You are asked each time')).toBeVisible();
  await page.getByRole('button', { name: 'Continue' }).click();
}

/** The texts of a page about an app, and their replacements. */
function places(server: { origin: string }, appPort: number): Record<string, string> {
  return { 'https://auth.example.com': server.origin, 'https://app.example.com': `http://localhost:${appPort}` };
}

test('openid-client signs a person in, refreshes, reads userinfo and signs out', async ({ server, page, app: _, appPort }) => {
  const person = await server.person();
  const redirect_uri = `http://localhost:${appPort}/callback`;
  // The servers of the tests have no TLS.
  const insecure = { execute: [client.allowInsecureRequests] };
  const [code = ''] = settingsOf('openid-client.md', 'js', { ...places(server, appPort), "'node-app', secret)": "'node-app', secret, undefined, insecure)" });
  const given = { client, secret: SECRET, insecure, state: client.randomState(), nonce: client.randomNonce() };
  const visit = async (url: URL) => {
    await test.step('through the sign-in page and back to the app', async () => {
      await page.goto(url.href);
      await signIn(page, person);
      await page.waitForURL(`${redirect_uri}?**`);
    });
    return new URL(page.url());
  };
  type Result = { config: client.Configuration; url: URL; tokens: Awaited<ReturnType<typeof client.authorizationCodeGrant>> };
  const { config, url, tokens } = await runCode<Result>(code, given, visit, ['config', 'url', 'tokens']);
  const claims = tokens.claims();
  expect(claims).toMatchObject({ iss: server.origin, aud: 'node-app', preferred_username: person.name, amr: ['pwd'], groups: [] });
  expect(await client.fetchUserInfo(config, tokens.access_token, claims?.sub ?? '')).toMatchObject({ sub: claims?.sub, preferred_username: person.name });
  const again = await client.refreshTokenGrant(config, tokens.refresh_token ?? '');
  expect(again.claims()?.sub).toBe(claims?.sub);
  expect(await client.tokenIntrospection(config, again.access_token)).toMatchObject({ active: true, client_id: 'node-app' });

  await test.step('signed in already means straight back', async () => {
    await page.goto(url.href);
    await page.waitForURL(`${redirect_uri}?**`);
  });

  await test.step('sign-out at the app', async () => {
    const end = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token ?? '', post_logout_redirect_uri: `http://localhost:${appPort}/` });
    await page.goto(end.href);
    await page.waitForURL(`http://localhost:${appPort}/`);
    expect(await client.tokenIntrospection(config, again.access_token)).toEqual({ active: false });
    await page.goto(url.href);
    await page.waitForURL(`${server.origin}/login?**`);
  });
});

test('openid-client authenticates with a key and pushes its request', async ({ server, page, app: _, appPort }) => {
  const person = await server.person();
  const redirect_uri = `http://localhost:${appPort}/callback`;
  const privateKey = await crypto.subtle.importKey('jwk', KEY.privateKey.export({ format: 'jwk' }), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  const insecure = { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] };
  const proof = "client.PrivateKeyJwt({ key: privateKey, kid: '1' }),";
  const [, code = ''] = settingsOf('openid-client.md', 'js', { ...places(server, appPort), [proof]: `${proof} insecure,` });
  const visit = async (url: URL) => {
    expect([...url.searchParams.keys()].sort()).toEqual(['client_id', 'request_uri']);
    await page.goto(url.href);
    await signIn(page, person);
    await page.waitForURL(`${redirect_uri}?**`);
    return new URL(page.url());
  };
  type Result = { config: client.Configuration; parameters: Record<string, string>; tokens: Awaited<ReturnType<typeof client.authorizationCodeGrant>> };
  const given = { client, privateKey, insecure, state: client.randomState() };
  const { config, parameters, tokens } = await runCode<Result>(code, given, visit, ['config', 'parameters', 'tokens']);
  expect(tokens.claims()).toMatchObject({ aud: 'node-key', preferred_username: person.name });

  await page.goto(client.buildAuthorizationUrl(config, parameters).href);
  await page.waitForURL(/error=invalid_request/);
});

test('oauth4webapi binds its tokens to a key', async ({ server, page, app: _, appPort }) => {
  const person = await server.person();
  const redirect_uri = `http://localhost:${appPort}/callback`;
  const insecure = { [oauth.allowInsecureRequests]: true };
  const [code = ''] = settingsOf('oauth4webapi.md', 'js', { ...places(server, appPort), 'discoveryRequest(issuer)': 'discoveryRequest(issuer, insecure)', '{ DPoP }': '{ DPoP, ...insecure }' });
  const visit = async (url: URL) => {
    await page.goto(url.href);
    await signIn(page, person);
    await agree(page);
    await page.waitForURL(`${redirect_uri}?**`);
    return new URL(page.url());
  };
  type Result = { as: oauth.AuthorizationServer; tokens: oauth.TokenEndpointResponse; person: oauth.UserInfoResponse };
  const result = await runCode<Result>(code, { oauth, insecure }, visit, ['as', 'tokens', 'person']);
  expect(result.tokens.token_type).toBe('dpop');
  expect(result.person).toMatchObject({ preferred_username: person.name });
  // A copied token without the key.
  const bare = await fetch(result.as.userinfo_endpoint ?? '', { headers: { authorization: `Bearer ${result.tokens.access_token}` } });
  expect(bare.status).toBe(401);
});

test('oidc-client-ts signs a person in from a page of another origin', async ({ server, page, app: _, appPort }) => {
  const person = await server.person();
  const app = `http://localhost:${appPort}`;
  const [code = ''] = settingsOf('oidc-client-ts.md', 'js', places(server, appPort));
  const [begin = '', end = ''] = code.split('// On the callback page:');
  const redirect = 'await manager.signinRedirect();';
  expect(begin).toContain(redirect);
  expect(end).not.toBe('');
  await page.goto(app);
  // Its promise ends with this page.
  await page.evaluate(`void (async () => { ${begin} })()`);
  await signIn(page, person);
  await agree(page);
  await page.waitForURL(`${app}/callback.html?**`);
  const renewal = 'const renewed = await manager.signinSilent(); return { name: user.profile.preferred_username, renewed: renewed.profile.sub === user.profile.sub };';
  const user = await page.evaluate(`(async () => { ${begin.replace(redirect, '')} ${end} ${renewal} })()`);
  expect(user).toEqual({ name: person.name, renewed: true });

  await test.step('the app is asked about again, and prompt=none gets an error', async () => {
    await page.goto(app);
    await page.evaluate(`void (async () => { ${begin} })()`);
    await agree(page);
    await page.waitForURL(`${app}/callback.html?code=**`);
    await page.goto(app);
    await page.evaluate(`void (async () => { ${begin.replace('signinRedirect()', "signinRedirect({ prompt: 'none' })")} })()`);
    await page.waitForURL(`${app}/callback.html?error=consent_required**`);
  });
});

test("another's app asks first, and the answer is remembered until it is revoked", async ({ server, page, app: _, appPort, watch }) => {
  watch.allowStatus(401);
  const person = await server.person();
  const redirect_uri = `http://localhost:${appPort}/callback`;
  const config = await client.discovery(new URL(server.origin), 'stranger', SECRET, undefined, { execute: [client.allowInsecureRequests] });
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri,
    scope: 'openid email',
    code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()),
    code_challenge_method: 'S256',
    state: 's',
  });
  await page.goto(url.href);
  const login = new LoginPage(page);
  await login.alive();
  await login.fill(person);
  await login.button.click();
  await expect(page.getByRole('heading', { name: "Continue to A stranger's app?" })).toBeVisible();
  await expect(page.getByRole('listitem')).toContainText([/recognise you/, /e-mail address/]);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.waitForURL(/error=access_denied/);
  await page.goto(url.href);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL(/[?]code=/);
  await page.goto(url.href);
  await page.waitForURL(/[?]code=/);

  await page.goto(`${server.origin}/dashboard/account`);
  await page.getByRole('button', { name: "Revoke the access of A stranger's app" }).click();
  await page.getByRole('button', { name: 'Revoke access' }).click();
  await expect(page.getByRole('heading', { name: 'Apps with access' })).toHaveCount(0);
  await page.goto(url.href);
  await expect(page.getByRole('heading', { name: "Continue to A stranger's app?" })).toBeVisible();
});

test("another's app that wants a form gets one after it was agreed to", async ({ server, page, app: _, appPort }) => {
  const person = await server.person();
  const redirect_uri = `http://localhost:${appPort}/callback`;
  const config = await client.discovery(new URL(server.origin), 'stranger', SECRET, undefined, { execute: [client.allowInsecureRequests] });
  const code_challenge = await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier());
  const url = client.buildAuthorizationUrl(config, { redirect_uri, scope: 'openid', response_mode: 'form_post', code_challenge, code_challenge_method: 'S256', state: 's' });
  await page.goto(url.href);
  const login = new LoginPage(page);
  await login.alive();
  await login.fill(person);
  await login.button.click();
  const posted = page.waitForRequest((request) => request.url() === redirect_uri);
  await page.getByRole('button', { name: 'Continue' }).click();
  const form = new URLSearchParams((await posted).postData() ?? '');
  expect([...form.keys()].sort()).toEqual(['code', 'iss', 'state']);
  expect(form.get('iss')).toBe(server.origin);
  await expect(page.getByRole('heading', { name: 'App' })).toBeVisible();
});

test('a wrong redirect URI is shown with the right one', async ({ server, page, appPort, watch }) => {
  watch.allowStatus(400);
  await page.goto(`${server.origin}/oauth/authorize?client_id=node-app&response_type=code&redirect_uri=https://evil.example/`);
  await expect(page.getByRole('heading', { name: "The app's request was refused" })).toBeVisible();
  await expect(page.getByText('https://evil.example/')).toBeVisible();
  await expect(page.getByText(`http://localhost:${appPort}/callback`)).toBeVisible();
});
