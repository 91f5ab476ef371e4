import type { CDPSession, Page } from '@playwright/test';

export interface Credential {
  credentialId: string;
  isResidentCredential: boolean;
  rpId?: string;
  privateKey: string;
  userHandle?: string;
  signCount: number;
  backupEligibility?: boolean;
  backupState?: boolean;
}

/** A virtual authenticator of Chromium for one page (Web Authentication Level 3, section 11). */
export class VirtualAuthenticator {
  readonly deleted: string[] = [];
  readonly updated: Credential[] = [];

  private constructor(
    readonly cdp: CDPSession,
    readonly id: string,
  ) {
    cdp.on('WebAuthn.credentialDeleted', (event) => this.deleted.push(event.credentialId));
    cdp.on('WebAuthn.credentialUpdated', (event) => this.updated.push(event.credential as Credential));
  }

  static async of(page: Page, more: Record<string, unknown> = {}): Promise<VirtualAuthenticator> {
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('WebAuthn.enable');
    const options = { protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true, ...more };
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', { options } as never);
    // Each page counts the offers that it makes in a field.
    await page.addInitScript(() => {
      const counted = window as unknown as { offers: number };
      const { get } = CredentialsContainer.prototype;
      counted.offers = 0;
      CredentialsContainer.prototype.get = function (options) {
        const answer = get.call(this, options);
        if (options?.mediation === 'conditional') counted.offers += 1;
        return answer;
      };
    });
    return new VirtualAuthenticator(cdp, authenticatorId);
  }

  /** Waits until this page has made its offer. The authenticator agrees to no request that was made before it is present. */
  static async offered(page: Page): Promise<void> {
    await page.waitForFunction(() => (window as unknown as { offers: number }).offers > 0);
  }

  async credentials(): Promise<Credential[]> {
    return (await this.cdp.send('WebAuthn.getCredentials', { authenticatorId: this.id })).credentials as Credential[];
  }

  async only(): Promise<Credential> {
    const [credential, ...more] = await this.credentials();
    if (!credential || more.length) throw new Error('not exactly one credential');
    return credential;
  }

  async add(credential: Credential): Promise<void> {
    await this.cdp.send('WebAuthn.addCredential', { authenticatorId: this.id, credential } as never);
  }

  /** Whether it agrees to each request by itself. */
  async present(enabled: boolean): Promise<void> {
    await this.cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId: this.id, enabled });
  }

  async verified(isUserVerified: boolean): Promise<void> {
    await this.cdp.send('WebAuthn.setUserVerified', { authenticatorId: this.id, isUserVerified });
  }

  /** Forges the next answers: a wrong signature, a missing UV bit, a missing UP bit. */
  async forge(bits: { isBogusSignature?: boolean; isBadUV?: boolean; isBadUP?: boolean }): Promise<void> {
    await this.cdp.send('WebAuthn.setResponseOverrideBits', { authenticatorId: this.id, ...bits });
  }

  async set(credentialId: string, properties: { backupEligibility?: boolean; backupState?: boolean }): Promise<void> {
    await this.cdp.send('WebAuthn.setCredentialProperties', { authenticatorId: this.id, credentialId, ...properties } as never);
  }
}
