import type { Locator, Page } from '@playwright/test';
import type { Person } from '../support/server';
import { LoginPage } from './login';
import { at } from '../support/url';

/** `/signup`: the form of `/login` with the strength of the password. */
export class SignupPage extends LoginPage {
  readonly strength: Locator;
  readonly suggest: Locator;

  constructor(page: Page) {
    super(page);
    this.strength = page.locator('#strength');
    this.suggest = page.getByRole('button', { name: 'Suggest' });
  }

  override async open(path = '/signup'): Promise<void> {
    await super.open(path);
  }

  /** Makes an account and waits for the dashboard. */
  async signUp(person: Person, path = '/signup'): Promise<void> {
    await this.open(path);
    await this.submit(person);
    await this.page.waitForURL(at('/dashboard'));
  }
}
