import type { Locator, Page } from '@playwright/test';

/** `/dashboard/users` and `/dashboard/invitations`, for administrators. */
export class People {
  readonly cards: Locator;
  readonly said: Locator;
  readonly dialog: Locator;
  readonly link: Locator;
  readonly done: Locator;

  constructor(readonly page: Page) {
    this.cards = page.locator('li.device');
    this.said = page.locator('#said');
    this.dialog = page.locator('dialog[open]');
    this.link = this.dialog.getByLabel('Link');
    this.done = this.dialog.getByRole('button', { name: 'Done' });
  }

  async open(path: '/dashboard/users' | '/dashboard/invitations', query = ''): Promise<void> {
    await this.page.goto(path + query);
    await this.alive();
  }

  /** Waits until the page's code has loaded: its buttons are disabled before. */
  async alive(): Promise<void> {
    await this.page.locator('.who button:enabled').waitFor();
  }

  card(name: string): Locator {
    return this.cards.filter({ hasText: name });
  }

  /** Opens an account's actions, and returns its card. */
  async manage(name: string): Promise<Locator> {
    const card = this.card(name);
    await card.getByText('Manage', { exact: true }).click();
    return card;
  }

  /** Clicks, and waits until the page has reloaded. */
  async reloading(click: () => Promise<void>): Promise<void> {
    const loaded = this.page.waitForEvent('load');
    await click();
    await loaded;
    await this.alive();
  }

  /** Makes an invitation and returns its link. */
  async invite(note: string, role: 'User' | 'Administrator' = 'User'): Promise<string> {
    await this.page.getByLabel('Note (seen').fill(note);
    await this.page.getByLabel('Role').selectOption(role);
    await this.page.getByRole('button', { name: 'Create invitation' }).click();
    return this.link.inputValue();
  }
}
