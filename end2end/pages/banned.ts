import type { Locator, Page } from '@playwright/test';

/** The page that a banned address gets for every request. */
export class BannedPage {
  readonly heading: Locator;
  readonly left: Locator;
  readonly incident: Locator;

  constructor(readonly page: Page) {
    this.heading = page.getByRole('heading', { name: 'Your address is banned' });
    this.left = page.locator('#wait b');
    this.incident = page.locator('code');
  }
}
