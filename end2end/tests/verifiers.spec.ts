import { generateKeyPairSync, sign } from 'node:crypto';
import { BoundClient, Client, ClientKey } from '../support/client';
import { claims } from '../support/cookies';
import { expect, test } from '../support/test';
import { VERIFIERS } from '../support/verifiers';

const WIKI = 'https://wiki.example';
const SHOP = 'https://shop.example';

test.use({ settings: { trusted_proxies: '["127.0.0.1"]', apps: `[{ name = "wiki", origin = "${WIKI}" }, { name = "shop", origin = "${SHOP}" }]` } });

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Returns the same claims except for one, signed by another key with the same name. */
function forged(token: string): string {
  const [head = ''] = token.split('.');
  const message = `${head}.${encode({ ...claims(token), roles: ['administrator'] })}`;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return `${message}.${sign('sha256', Buffer.from(message), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

for (const { name, check } of VERIFIERS) {
  test(`${name} checks tokens with the published keys alone`, async ({ server }) => {
    const client = new Client(server);
    const person = await server.person();
    const key = new ClientKey();
    const login = (await client.login(person, key)).json;
    const access: string = login.tokens.access_token;
    const app = await new BoundClient(client, access, key).post('/api/tokens', { audience: WIKI });
    expect([app.status, app.json.token_type]).toEqual([200, 'DPoP']);

    for (const [token, audience, other] of [[access, server.origin, WIKI], [app.json.access_token, WIKI, SHOP]] as const) {
      const good = { iss: server.origin, aud: audience, sub: login.session.sub, preferred_username: person.name, sid: login.session.id };
      expect(await check(token, server.origin, audience)).toMatchObject({ claims: { ...good, cnf: { jkt: key.thumbprint() } } });

      const [head = '', body = '', signature = ''] = token.split('.');
      const refused: Record<string, [string, string, string]> = {
        'another audience': [token, server.origin, other],
        'another payload': [`${head}.${encode({ ...claims(token), roles: ['administrator'] })}.${signature}`, server.origin, audience],
        'a signature of zeros': [`${head}.${body}.${'A'.repeat(86)}`, server.origin, audience],
        "a stranger's": [forged(token), server.origin, audience],
        'no signature': [`${encode({ typ: 'at+jwt', alg: 'none' })}.${body}.`, server.origin, audience],
      };
      for (const [what, asked] of Object.entries(refused)) {
        expect(await check(...asked), what).toMatchObject({ refused: expect.any(String) });
      }
    }
    expect(await check(login.tokens.refresh_token, server.origin, server.origin), 'a refresh token').toMatchObject({ refused: expect.any(String) });
  });

  test(`${name} takes a token at once where the app's clock is behind`, async ({ server }) => {
    const client = new Client(server);
    const login = (await client.login(await server.person())).json;
    const own = { authorization: `Bearer ${login.tokens.access_token}` };
    const app = (await client.post('/api/tokens', { audience: WIKI }, own)).json;
    for (const [token, audience] of [[login.tokens.access_token, server.origin], [app.access_token, WIKI]] as const) {
      for (const behind of [1, 20]) {
        expect(await check(token, server.origin, audience, behind), `${behind} s behind`).toMatchObject({ claims: { aud: audience } });
      }
      expect(await check(token, server.origin, audience, 90), 'a minute and a half').toMatchObject({ refused: expect.any(String) });
    }
  });
}
