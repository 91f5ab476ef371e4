import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

const encode = (data: Buffer | string): string => Buffer.from(data).toString('base64url');
const sha256 = (data: Buffer | string): Buffer => createHash('sha256').update(data).digest();

/** Values of a forged answer that differ from the right ones. */
export interface Lie {
  origin?: string;
  rpId?: string;
  challenge?: string;
  flags?: number;
  signCount?: number;
  id?: Buffer;
  userHandle?: string;
  key?: KeyObject;
}

/** A small authenticator, written from the specification, which signs anything that a test needs. */
export class Authenticator {
  readonly id = randomBytes(32);
  userHandle = '';
  private readonly secret: KeyObject;
  private readonly point: Buffer;

  constructor(
    readonly origin: string,
    readonly rpId = new URL(origin).hostname,
  ) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x, y } = publicKey.export({ format: 'jwk' });
    this.secret = privateKey;
    this.point = Buffer.concat([Buffer.from(String(x), 'base64url'), Buffer.from(String(y), 'base64url')]);
  }

  /** Makes a credential for creation options (section 6.5.4), with UP and UV unless `flags` differ. */
  create(options: { challenge: string; user: { id: string } }, flags = 0x05): unknown {
    this.userHandle = options.user.id;
    const [x, y] = [this.point.subarray(0, 32), this.point.subarray(32)];
    const cose = Buffer.concat([Buffer.from('a5010203262001215820', 'hex'), x, Buffer.from('225820', 'hex'), y]);
    const credential = Buffer.concat([Buffer.alloc(16), Buffer.from([0, this.id.length]), this.id, cose]);
    const data = Buffer.concat([this.data(this.rpId, flags | 0x40, 0), credential]);
    const head = Buffer.concat([Buffer.from([0xa3, 0x63]), Buffer.from('fmt'), Buffer.from([0x64]), Buffer.from('none'), Buffer.from([0x67]), Buffer.from('attStmt'), Buffer.from([0xa0, 0x68]), Buffer.from('authData'), Buffer.from([0x58, data.length])]);
    const clientData = JSON.stringify({ type: 'webauthn.create', challenge: options.challenge, origin: this.origin, crossOrigin: false });
    return {
      id: encode(this.id),
      rawId: encode(this.id),
      type: 'public-key',
      response: { clientDataJSON: encode(clientData), attestationObject: encode(Buffer.concat([head, data])), transports: ['internal'] },
    };
  }

  /** Signs request options (section 6.3.3). */
  get(options: { challenge: string }, lie: Lie = {}): Record<string, unknown> {
    const clientData = JSON.stringify({ type: 'webauthn.get', challenge: lie.challenge ?? options.challenge, origin: lie.origin ?? this.origin, crossOrigin: false });
    const data = this.data(lie.rpId ?? this.rpId, lie.flags ?? 0x05, lie.signCount ?? 0);
    const signature = sign('sha256', Buffer.concat([data, sha256(clientData)]), lie.key ?? this.secret);
    const id = encode(lie.id ?? this.id);
    return {
      id,
      rawId: id,
      type: 'public-key',
      response: { clientDataJSON: encode(clientData), authenticatorData: encode(data), signature: encode(signature), userHandle: lie.userHandle ?? this.userHandle },
    };
  }

  private data(rpId: string, flags: number, signCount: number): Buffer {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(signCount);
    return Buffer.concat([sha256(rpId), Buffer.from([flags]), count]);
  }
}
