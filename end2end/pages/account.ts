import type { Locator, Page } from '@playwright/test';

/** `/dashboard/account`, `/dashboard/account/delete` and `/reset`: one form each. */
export class AccountPage {
  readonly old: Locator;
  readonly password: Locator;
  readonly button: Locator;
  readonly alert: Locator;
  readonly said: Locator;

  constructor(readonly page: Page) {
    this.old = page.getByLabel('Current password');
    this.password = page.locator('#password');
    this.button = page.locator('form[data-step] button[type=submit]');
    this.alert = page.locator('form').getByRole('alert');
    this.said = page.locator('#changed');
  }

  async open(path = '/dashboard/account'): Promise<void> {
    await this.page.goto(path);
    await this.alive();
  }

  async alive(): Promise<void> {
    await this.page.locator('form[data-step=ready]').waitFor();
  }
}
