import type { Locator, Page } from '@playwright/test';

/** `/dashboard/time` */
export class TimePage {
  readonly clock: Locator;
  readonly said: Locator;
  readonly panel: Locator;
  readonly connect: Locator;
  readonly disconnect: Locator;
  readonly offset: Locator;
  readonly trip: Locator;
  readonly sent: Locator;
  readonly received: Locator;

  constructor(readonly page: Page) {
    this.clock = page.locator('#clock');
    this.said = page.locator('#said');
    this.panel = page.locator('.clock-panel');
    this.connect = page.getByRole('button', { name: 'Connect', exact: true });
    this.disconnect = page.getByRole('button', { name: 'Disconnect', exact: true });
    this.offset = page.locator('#offset');
    this.trip = page.locator('#trip');
    this.sent = page.locator('#sent');
    this.received = page.locator('#received');
  }

  async open(): Promise<void> {
    await this.page.goto('/dashboard/time');
    await this.page.locator('main button:enabled, main .why:not([hidden])').first().waitFor();
  }

  async start(): Promise<void> {
    await this.connect.click();
    await this.disconnect.waitFor();
  }
}
