import { createHmac, createPublicKey, createHash, generateKeyPairSync, sign, verify, type JsonWebKey } from 'node:crypto';
import { Client } from '../support/client';
import { ACCESS, claims } from '../support/cookies';
import { expect, test } from '../support/test';

const encode = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

test('an access token is checked with the published keys alone', async ({ server }) => {
  const client = new Client(server);
  const person = await server.person();
  const login = (await client.login(person)).json;
  const token: string = login.tokens.access_token;
  const [head = '', body = '', signature = ''] = token.split('.');
  const header = JSON.parse(Buffer.from(head, 'base64url').toString());
  expect(header).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });

  const jwks = await client.get('/.well-known/jwks.json');
  expect(jwks.headers['cache-control']).toMatch(/max-age=\d+/);
  const key = jwks.json.keys.find((one: { kid: string }) => one.kid === header.kid);
  expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  const thumbprint = createHash('sha256').update(JSON.stringify({ crv: key.crv, kty: key.kty, x: key.x, y: key.y })).digest('base64url');
  expect(key.kid).toBe(thumbprint);
  const publicKey = createPublicKey({ key: key as JsonWebKey, format: 'jwk' });
  const holds = (text: string) => verify('sha256', Buffer.from(text), { key: publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
  expect(holds(`${head}.${body}`)).toBe(true);
  expect(holds(`${head}.${encode({ ...claims(token), roles: ['administrator'] })}`)).toBe(false);

  const said = claims(token);
  const now = Date.now() / 1000;
  expect(said).toMatchObject({
    iss: server.origin,
    aud: server.origin,
    sub: login.session.sub,
    preferred_username: person.name,
    sid: login.session.id,
    client_id: 'postern',
    roles: ['user'],
    gen: 0,
  });
  expect(said.jti).toMatch(/^[0-9A-Z]{26}$/);
  expect(said.exp - said.iat, 'half a minute for clocks that are behind').toBe(330);
  expect(Math.abs(said.iat + 30 - now)).toBeLessThan(5);
  expect(said.nbf).toBeLessThanOrEqual(now + 1);
});

test('what the site is and where is written for programs', async ({ server }) => {
  const { json } = await new Client(server).get('/.well-known/postern');
  expect(json).toMatchObject({ issuer: server.origin, jwks_uri: `${server.origin}/.well-known/jwks.json`, login_endpoint: `${server.origin}/api/login` });
});

test('a forged token is nobody, and every forgery is told the same', async ({ server }) => {
  const client = new Client(server);
  const first = (await client.login(await server.person())).json.tokens;
  const second = (await client.login(await server.person())).json.tokens;
  const token: string = first.access_token;
  const [head = '', body = '', signature = ''] = token.split('.');
  const header = JSON.parse(Buffer.from(head, 'base64url').toString());
  const key = (await client.get('/.well-known/jwks.json')).json.keys[0];
  const publicKey = createPublicKey({ key, format: 'jwk' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ownJwk = own.publicKey.export({ format: 'jwk' });

  const hmac = (secret: string, top: object) => {
    const message = `${encode(top)}.${body}`;
    return `${message}.${createHmac('sha256', secret).update(message).digest('base64url')}`;
  };
  const signed = (top: object, content: object = claims(token)) => {
    const message = `${encode(top)}.${encode(content)}`;
    return `${message}.${sign('sha256', Buffer.from(message), { key: own.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };
  const forgeries: Record<string, string> = {
    'no algorithm': `${encode({ ...header, alg: 'none' })}.${body}.`,
    'no algorithm, another case': `${encode({ ...header, alg: 'nOnE' })}.${body}.${signature}`,
    'no signature': `${head}.${body}.`,
    'HS256 with the public key': hmac(pem, { ...header, alg: 'HS256' }),
    'HS256 with the JWK': hmac(JSON.stringify(key), { ...header, alg: 'HS256' }),
    'HS256 with nothing': hmac('', { ...header, alg: 'HS256' }),
    'another algorithm': `${encode({ ...header, alg: 'ES384' })}.${body}.${signature}`,
    'another type': `${encode({ ...header, typ: 'JWT' })}.${body}.${signature}`,
    'no type': `${encode({ alg: header.alg, kid: header.kid })}.${body}.${signature}`,
    'an own key under its kid': signed(header),
    'an own key in jwk': signed({ ...header, jwk: ownJwk }),
    'an own key at jku': signed({ ...header, jku: 'http://elsewhere.example/jwks.json' }),
    'an own key in x5c': signed({ ...header, x5c: ['AAAA'] }),
    'another kid': signed({ ...header, kid: 'x' }),
    'a path for a kid': signed({ ...header, kid: '../../../../etc/passwd' }),
    'a query for a kid': signed({ ...header, kid: "x' OR '1'='1" }),
    'no kid': signed({ alg: 'ES256', typ: 'at+jwt' }),
    'another payload': `${head}.${encode({ ...claims(token), sub: claims(second.access_token).sub })}.${signature}`,
    'a longer life': `${head}.${encode({ ...claims(token), exp: claims(token).exp + 1 })}.${signature}`,
    "another token's signature": `${head}.${body}.${second.access_token.split('.')[2]}`,
    'a signature of zeros': `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`,
    'a DER signature': `${head}.${body}.${Buffer.concat([Buffer.from([0x30, 0x44]), Buffer.alloc(68)]).toString('base64url')}`,
    'white space': `${head}.${body} .${signature}`,
    'a fourth part': `${token}.x`,
    'a JSON token': JSON.stringify({ payload: body, signature }),
    'nothing but dots': '..',
    'too much': `${head}.${body}.${'A'.repeat(9000)}`,
  };
  const good = await client.session(token);
  expect(good.status).toBe(200);
  const bodies = new Set<string>();
  for (const [what, forged] of Object.entries(forgeries)) {
    const answer = await client.session(forged);
    expect.soft(answer.status, what).toBe(401);
    expect.soft(answer.cookies, what).toEqual([]);
    bodies.add(answer.text);
    if (forged.length < 4000 && !/[\s"]/.test(forged)) {
      const asCookie = await client.get('/api/session', { cookie: `${ACCESS}=${forged}` });
      expect.soft(asCookie.status, `${what}, as a cookie`).toBe(401);
      bodies.add(asCookie.text);
    }
  }
  expect([...bodies]).toHaveLength(1);
  expect((await client.session(token)).status, 'and the real one is still good').toBe(200);
  expect((await client.get('/api/challenge')).status, 'nobody was banned').toBe(200);
});
