import type { BrowserContext } from '@playwright/test';

/**
 * Fails a test if a page writes errors on the console, throws, or sends a request to another origin, unless the test
 * allows it.
 */
export class Watch {
  readonly troubles: string[] = [];
  private readonly statuses = new Set<number>();
  private readonly origins: Set<string>;
  private readonly messages: RegExp[] = [];
  private ended = false;

  constructor(origin: string) {
    this.origins = new Set([origin]);
  }

  /** Allows statuses, because Chromium writes an error for each answer of 400 and more. */
  allowStatus(...statuses: number[]): void {
    for (const status of statuses) this.statuses.add(status);
  }

  allowMessage(...messages: RegExp[]): void {
    this.messages.push(...messages);
  }

  allowOrigin(...origins: string[]): void {
    for (const origin of origins) this.origins.add(origin);
  }

  /** Records nothing more. Pages stay open while a test's servers end, and their late requests are refused. */
  end(): void {
    this.ended = true;
  }

  private report(trouble: string): void {
    if (!this.ended) this.troubles.push(trouble);
  }

  follow(context: BrowserContext): void {
    context.on('console', (message) => {
      if (message.type() === 'error' && !this.expects(message.text())) this.report(`console: ${message.text()}`);
    });
    context.on('weberror', (thrown) => {
      const text = String(thrown.error());
      if (!this.expects(text)) this.report(`thrown: ${text}`);
    });
    context.on('request', (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith('http') && !this.origins.has(url.origin)) this.report(`request: ${url.origin}`);
    });
  }

  private expects(text: string): boolean {
    const status = /^Failed to load resource: the server responded with a status of (\d+)/.exec(text)?.[1];
    if (status) return this.statuses.has(Number(status));
    return this.messages.some((message) => message.test(text));
  }
}
