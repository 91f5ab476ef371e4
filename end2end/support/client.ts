import {
  constants,
  createCipheriv,
  createHash,
  createPublicKey,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
  sign,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Agent as TlsAgent, request as httpsRequest } from 'node:https';
import type { Person } from './server';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** `Set-Cookie` lines. */
  cookies: string[];
  body: Buffer;
  text: string;
  // Each test knows the form of its answers.
  json: any;
}

export interface Challenge {
  short_key: string;
  expires_at: number;
  now: number;
  key: JsonWebKey & { kid: string };
}

/** The target of a client: a server, or a proxy in front of it. */
export interface Place {
  origin: string;
  port: number;
  /** Uses TLS, with a certificate that no authority signed. */
  tls?: boolean;
}

export interface SealedBody {
  encrypted_username_password: string;
  short_key: string;
  delivery?: 'cookies' | 'body';
}

interface Asked {
  headers?: Record<string, string>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent unchanged. */
  body?: string | Buffer;
  /** The body has no end, and its end is not awaited. */
  endless?: boolean;
}

/** Changes to the envelope that make it invalid. */
export interface Twist {
  header?: Record<string, unknown>;
  type?: string;
}

const encode = (data: Buffer | string): string => Buffer.from(data).toString('base64url');

/** A P-256 key pair, for proofs (RFC 9449) or to receive sealed data. */
export class ClientKey {
  readonly jwk: { crv: string; kty: string; x: string; y: string };
  private readonly secret: KeyObject;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x, y } = publicKey.export({ format: 'jwk' });
    this.jwk = { crv: 'P-256', kty: 'EC', x: String(x), y: String(y) };
    this.secret = privateKey;
  }

  /** Returns the thumbprint (RFC 7638). */
  thumbprint(): string {
    return createHash('sha256').update(JSON.stringify(this.jwk)).digest('base64url');
  }

  /** Returns the JWK with the private half. */
  privateJwk(): JsonWebKey {
    return this.secret.export({ format: 'jwk' });
  }

  /** Returns a proof. `token`: the access token that is sent with the proof. */
  proof(url: string, nonce: string, method = 'POST', token?: string): string {
    const header = encode(JSON.stringify({ typ: 'dpop+jwt', alg: 'ES256', jwk: this.jwk }));
    const ath = token && { ath: createHash('sha256').update(token).digest('base64url') };
    const claims = { jti: randomBytes(12).toString('hex'), htm: method, htu: url, iat: Math.floor(Date.now() / 1000), nonce, ...ath };
    const message = `${header}.${encode(JSON.stringify(claims))}`;
    const signature = sign('sha256', Buffer.from(message), { key: this.secret, dsaEncoding: 'ieee-p1363' });
    return `${message}.${encode(signature)}`;
  }
}

/**
 * A program that uses the server without a browser, from any address. The envelope and the proofs are implemented here
 * a second time, from the standards alone.
 */
export class Client {
  private readonly agent: Agent;

  constructor(
    readonly server: Place,
    /** Any address of 127.0.0.0/8: each is another client to the server. */
    readonly address = '127.0.0.1',
    readonly headers: Record<string, string> = {},
  ) {
    this.agent = server.tls ? new TlsAgent({ keepAlive: false, rejectUnauthorized: false }) : new Agent({ keepAlive: false });
  }

  request(method: string, path: string, asked: Asked = {}): Promise<Answer> {
    const body = asked.json === undefined ? asked.body : JSON.stringify(asked.json);
    const headers: Record<string, string> = { host: new URL(this.server.origin).host, ...this.headers, ...asked.headers };
    if (asked.json !== undefined) headers['content-type'] ??= 'application/json';
    if (body !== undefined) headers['content-length'] ??= String(Buffer.byteLength(body));
    const request = this.server.tls ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const sent = request(
        { host: '127.0.0.1', port: this.server.port, localAddress: this.address, agent: this.agent, method, path, headers },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          const isEndless = asked.endless && response.statusCode === 200;
          response.on(isEndless ? 'close' : 'end', () => {
            const whole = Buffer.concat(chunks);
            const isJson = /[/+]json/.test(response.headers['content-type'] ?? '');
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              cookies: response.headers['set-cookie'] ?? [],
              body: whole,
              text: whole.toString(),
              json: isJson && whole.length > 0 ? JSON.parse(whole.toString()) : undefined,
            });
          });
          if (isEndless) response.destroy();
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.request('GET', path, { headers });
  }

  post(path: string, json: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.request('POST', path, { json, headers });
  }

  async challenge(headers: Record<string, string> = {}): Promise<Challenge> {
    const answer = await this.get('/api/challenge', headers);
    if (answer.status !== 200) throw new Error(`no challenge: ${answer.status} ${answer.text}`);
    return answer.json;
  }

  /** Returns the body of a login (compact JWE: RFC 7516, sections 3.1 and 5.1). */
  seal(challenge: Challenge, payload: unknown, keys?: { signing: ClientKey; receiving: ClientKey }, twist: Twist = {}): SealedBody {
    const header = {
      alg: 'RSA-OAEP-256',
      enc: 'A256GCM',
      kid: challenge.key.kid,
      typ: twist.type ?? 'login+jwe',
      sk: challenge.short_key,
      org: this.server.origin,
      ...(keys ? { jwk: keys.signing.jwk, enc_jwk: keys.receiving.jwk } : {}),
      iat: Math.floor(Date.now() / 1000),
      ...twist.header,
    };
    const aad = encode(JSON.stringify(header));
    const contentKey = randomBytes(32);
    const iv = randomBytes(12);
    const wrapped = publicEncrypt(
      { key: createPublicKey({ key: challenge.key, format: 'jwk' }), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
      contentKey,
    );
    const cipher = createCipheriv('aes-256-gcm', contentKey, iv).setAAD(Buffer.from(aad));
    const content = Buffer.concat([cipher.update(JSON.stringify(payload)), cipher.final()]);
    const parts = [aad, encode(wrapped), encode(iv), encode(content), encode(cipher.getAuthTag())];
    return { encrypted_username_password: parts.join('.'), short_key: challenge.short_key, delivery: 'body' };
  }

  /** Signs in once, with tokens in the body; bound to `key` if given. */
  async login(person: Person, key?: ClientKey, receiving = new ClientKey()): Promise<Answer> {
    const challenge = await this.challenge();
    const keys = key && { signing: key, receiving };
    const body = this.seal(challenge, { username: person.name, password: person.password }, keys);
    const proof = key && { dpop: key.proof(`${this.server.origin}/api/login`, challenge.short_key) };
    return this.post('/api/login', body, proof ?? {});
  }

  refresh(token: string): Promise<Answer> {
    return this.post('/api/refresh', { refresh_token: token });
  }

  /** Requests the session of this token. */
  session(token: string): Promise<Answer> {
    return this.get('/api/session', { authorization: `Bearer ${token}` });
  }
}

/** A program whose session is bound to its key: each request has a proof (RFC 9449, section 7.1). */
export class BoundClient extends Client {
  private nonce = '';

  constructor(
    client: Client,
    private readonly token: string,
    private readonly key: ClientKey,
  ) {
    super(client.server, client.address, client.headers);
  }

  /** Sends the request again if the proof lacked the nonce. */
  override async request(method: string, path: string, asked: Asked = {}): Promise<Answer> {
    const ask = async () => {
      const dpop = this.key.proof(this.server.origin + path.split('?')[0], this.nonce, method, this.token);
      const answer = await super.request(method, path, { ...asked, headers: { ...asked.headers, authorization: `DPoP ${this.token}`, dpop } });
      this.nonce = String(answer.headers['dpop-nonce'] ?? this.nonce);
      return answer;
    };
    const first = await ask();
    return first.json?.code === 'use_dpop_nonce' ? ask() : first;
  }
}

/** Returns the headers that a script on a page of the same site sends. */
export function sameOrigin(origin: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    origin,
    'sec-fetch-site': 'same-origin',
    'sec-fetch-mode': 'cors',
    'sec-fetch-dest': 'empty',
    ...more,
  };
}
