import type { Locator, Page } from '@playwright/test';

/** `/dashboard/keys` and `/dashboard/server-keys` */
export class KeysPage {
  readonly heading: Locator;
  /** The message about the last action or its error. */
  readonly said: Locator;
  readonly cards: Locator;
  readonly rotate: Locator;

  constructor(readonly page: Page) {
    this.heading = page.getByRole('heading', { level: 1 });
    this.said = page.locator('#said');
    this.cards = page.locator('li.device');
    this.rotate = page.getByRole('button', { name: 'Create new key' });
  }

  async open(path = '/dashboard/keys'): Promise<void> {
    await this.page.goto(path);
    await this.page.locator('main button:enabled').first().waitFor();
  }

  card(text: string): Locator {
    return this.cards.filter({ hasText: text });
  }

  /** Presses a button, confirms its question and waits for the next page. */
  async agree(button: Locator, yes: string): Promise<void> {
    await button.click();
    const reloaded = this.page.waitForEvent('load');
    await this.page.getByRole('dialog').getByRole('button', { name: yes }).click();
    await reloaded;
    await this.page.locator('main button:enabled').first().waitFor();
  }
}
