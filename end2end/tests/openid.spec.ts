import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server as HttpServer } from 'node:http';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { LoginPage } from '../pages/login';
import { registrations, SECRET } from '../support/relying-party';
import { freePort } from '../support/server';
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

test('openid-client signs a person in, refreshes, reads userinfo and signs out', async ({ server, page, app: _, appPort }) => {
  const person = await server.person();
  const redirect_uri = `http://localhost:${appPort}/callback`;
  const config = await client.discovery(new URL(server.origin), 'node-app', SECRET, undefined, { execute: [client.allowInsecureRequests] });
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri,
    scope: 'openid profile email groups offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  });

  await test.step('through the sign-in page and back to the app', async () => {
    await page.goto(url.href);
    const login = new LoginPage(page);
    await login.alive();
    await login.fill(person);
    await login.button.click();
    await page.waitForURL(`${redirect_uri}?**`);
  });
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
  const tokens = await client.authorizationCodeGrant(config, new URL(page.url()), checks);
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
  const key = await crypto.subtle.importKey('jwk', KEY.privateKey.export({ format: 'jwk' }), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  const config = await client.discovery(
    new URL(server.origin),
    'node-key',
    { id_token_signed_response_alg: 'ES256' },
    client.PrivateKeyJwt({ key, kid: '1' }),
    { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
  );
  const verifier = client.randomPKCECodeVerifier();
  const code_challenge = await client.calculatePKCECodeChallenge(verifier);
  const parameters = { redirect_uri, scope: 'openid profile', code_challenge, code_challenge_method: 'S256', state: client.randomState() };
  const url = await client.buildAuthorizationUrlWithPAR(config, parameters);
  expect([...url.searchParams.keys()].sort()).toEqual(['client_id', 'request_uri']);
  await page.goto(url.href);
  const login = new LoginPage(page);
  await login.alive();
  await login.fill(person);
  await login.button.click();
  await page.waitForURL(`${redirect_uri}?**`);
  const tokens = await client.authorizationCodeGrant(config, new URL(page.url()), { pkceCodeVerifier: verifier, expectedState: parameters.state });
  expect(tokens.claims()).toMatchObject({ aud: 'node-key', preferred_username: person.name });

  await page.goto(client.buildAuthorizationUrl(config, parameters).href);
  await page.waitForURL(/error=invalid_request/);
});

test('oauth4webapi binds its tokens to a key', async ({ server, page, app: _, appPort }) => {
  const person = await server.person();
  const insecure = { [oauth.allowInsecureRequests]: true };
  const issuer = new URL(server.origin);
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
  const strict: oauth.Client = { client_id: 'strict' };
  const redirect_uri = `http://localhost:${appPort}/callback`;
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(as.authorization_endpoint ?? '');
  const challenge = await oauth.calculatePKCECodeChallenge(verifier);
  url.search = new URLSearchParams({ client_id: 'strict', redirect_uri, response_type: 'code', scope: 'openid profile', code_challenge: challenge, code_challenge_method: 'S256', state }).toString();
  await page.goto(url.href);
  const login = new LoginPage(page);
  await login.alive();
  await login.fill(person);
  await login.button.click();
  await page.waitForURL(`${redirect_uri}?**`);

  const returned = oauth.validateAuthResponse(as, strict, new URL(page.url()), state);
  const DPoP = oauth.DPoP(strict, await oauth.generateKeyPair('ES256'));
  const ask = () => oauth.authorizationCodeGrantRequest(as, strict, oauth.None(), returned, redirect_uri, verifier, { DPoP, ...insecure });
  let result: oauth.TokenEndpointResponse;
  try {
    result = await oauth.processAuthorizationCodeResponse(as, strict, await ask(), { requireIdToken: true });
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    result = await oauth.processAuthorizationCodeResponse(as, strict, await ask(), { requireIdToken: true });
  }
  expect(result.token_type).toBe('dpop');
  const sub = oauth.getValidatedIdTokenClaims(result)?.sub ?? '';
  const info = await oauth.userInfoRequest(as, strict, result.access_token, { DPoP, ...insecure });
  expect(await oauth.processUserInfoResponse(as, strict, sub, info)).toMatchObject({ preferred_username: person.name });
  // A copied token without the key.
  const bare = await fetch(as.userinfo_endpoint ?? '', { headers: { authorization: `Bearer ${result.access_token}` } });
  expect(bare.status).toBe(401);
});

test('oidc-client-ts signs a person in from a page of another origin', async ({ server, page, app: _, appPort }) => {
  const person = await server.person();
  const app = `http://localhost:${appPort}`;
  await page.goto(app);
  const manager = (authority: string, place: string) => ({ authority, client_id: 'spa', redirect_uri: `${place}/callback.html`, scope: 'openid profile offline_access' });
  const settings = manager(server.origin, app);
  await page.evaluate((settings) => {
    // Its promise ends with this page.
    // @ts-expect-error the page's library
    void new oidc.UserManager(settings).signinRedirect();
  }, settings);
  const login = new LoginPage(page);
  await login.alive();
  await login.fill(person);
  await login.button.click();
  await page.waitForURL(`${app}/callback.html?**`);
  const user = await page.evaluate(async (settings) => {
    // @ts-expect-error the page's library
    const manager = new oidc.UserManager({ ...settings, loadUserInfo: true });
    const user = await manager.signinRedirectCallback();
    const renewed = await manager.signinSilent();
    return { name: user.profile.preferred_username, renewed: renewed?.profile.sub === user.profile.sub };
  }, settings);
  expect(user).toEqual({ name: person.name, renewed: true });
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
