import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

/** The result of an app's check of a token: the claims, or the name of the error. */
export type Verdict = { claims: Record<string, any> } | { refused: string };

export interface Verifier {
  name: string;
  /** Checks a token. `behind`: seconds by which the app's clock is behind; it tolerates nothing then. */
  check(token: string, issuer: string, audience: string, behind?: number): Promise<Verdict>;
}

const keySet = (issuer: string) => `${issuer}/.well-known/jwks.json`;

/** jose, on npm. */
const jose: Verifier = {
  name: 'jose',
  async check(token, issuer, audience, behind = 0) {
    const currentDate = new Date(Date.now() - 1000 * behind);
    const options = { issuer, audience, typ: 'at+jwt', algorithms: ['ES256', 'EdDSA'], currentDate };
    try {
      return { claims: (await jwtVerify(token, createRemoteJWKSet(new URL(keySet(issuer))), options)).payload };
    } catch (error) {
      if (error instanceof errors.JOSEError) return { refused: error.code };
      throw error;
    }
  },
};

/** PyJWT, on PyPI. */
const pyjwt: Verifier = {
  name: 'PyJWT',
  async check(token, issuer, audience, behind = 0) {
    const python = join(__dirname, '../.venv/bin/python');
    const { error, status, stdout, stderr } = spawnSync(
      python,
      [join(__dirname, 'check_token.py'), keySet(issuer), issuer, audience, String(behind)],
      { input: token, encoding: 'utf8' },
    );
    if (error) throw new Error(`${python} does not start: run the tests with \`make test\``, { cause: error });
    if (status === 0) return { claims: JSON.parse(stdout) };
    if (status === 1 && stdout) return { refused: stdout.trim() };
    throw new Error(`status ${status}: ${stderr}`);
  },
};

export const VERIFIERS = [jose, pyjwt];
