import type { Locator, Page } from '@playwright/test';

/** `/dashboard/bans` */
export class BansPage {
  readonly heading: Locator;
  /** The message about the last action or its error. */
  readonly said: Locator;
  readonly cards: Locator;
  readonly word: Locator;
  readonly address: Locator;
  readonly reason: Locator;
  readonly close: Locator;
  readonly force: Locator;
  readonly allowlist: Locator;

  constructor(readonly page: Page) {
    this.heading = page.getByRole('heading', { level: 1, name: 'Bans' });
    this.said = page.locator('#said');
    this.cards = page.locator('li.ban');
    this.word = page.getByLabel('Address or incident');
    this.address = page.locator('#address');
    this.reason = page.locator('#reason');
    this.close = page.getByRole('button', { name: 'Ban address' });
    this.force = page.getByLabel('Ban it anyway');
    this.allowlist = page.locator('li.allowed');
  }

  async open(query = ''): Promise<void> {
    await this.page.goto(`/dashboard/bans${query}`);
    await this.alive();
  }

  /** Waits until the forms can be used. */
  async alive(): Promise<void> {
    await this.page.locator('form[data-method] [type=submit]:enabled').first().waitFor({ state: 'attached' });
  }

  /** Opens one of the page's forms, unless it is open. */
  async unfold(heading: string): Promise<void> {
    const fold = this.page.locator('details.fold').filter({ has: this.page.locator('h2', { hasText: heading }) });
    if (!(await fold.evaluate((details: HTMLDetailsElement) => details.open))) await fold.locator('summary').click();
  }

  async ban(address: string, reason: string): Promise<void> {
    await this.unfold('Ban an address');
    await this.address.fill(address);
    await this.reason.fill(reason);
    await this.close.click();
  }

  async done(): Promise<void> {
    await this.page.waitForURL(({ searchParams }) => searchParams.has('done'));
    await this.alive();
  }

  card(address: string): Locator {
    return this.cards.filter({ hasText: address });
  }

  async lift(address: string, reason: string): Promise<void> {
    const card = this.card(address);
    await card.getByText('Lift', { exact: true }).click();
    await card.getByLabel('Reason').fill(reason);
    await card.getByRole('button', { name: 'Lift ban' }).click();
  }

  async explain(address: string): Promise<void> {
    await this.unfold('Explain an address');
    await this.page.locator('#asked').fill(address);
    await this.page.getByRole('button', { name: 'Explain' }).click();
    await this.alive();
  }

  async allow(network: string, comment: string): Promise<void> {
    await this.unfold('Allowlist');
    await this.page.getByLabel('Network or address').fill(network);
    await this.page.getByLabel('Comment').fill(comment);
    await this.page.getByRole('button', { name: 'Add', exact: true }).click();
  }
}
