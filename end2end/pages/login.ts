import type { Locator, Page } from '@playwright/test';
import type { Person } from '../support/server';
import { at } from '../support/url';

/** `/login` */
export class LoginPage {
  readonly name: Locator;
  readonly password: Locator;
  readonly button: Locator;
  readonly show: Locator;
  /** The message for screen readers. */
  readonly alert: Locator;
  /** The visible countdown. */
  readonly countdown: Locator;
  readonly caps: Locator;

  constructor(readonly page: Page) {
    this.name = page.getByLabel('Name', { exact: true });
    this.password = page.getByLabel('Password', { exact: true });
    this.button = page.locator('button[type=submit]');
    this.show = page.getByRole('button', { name: 'Show password' });
    this.alert = page.getByRole('alert');
    this.countdown = page.locator('#wait');
    this.caps = page.locator('#caps');
  }

  async open(path = '/login'): Promise<void> {
    await this.page.goto(path);
    await this.alive();
  }

  /** Waits until the form can be used. */
  async alive(): Promise<void> {
    await this.page.locator('form[data-step=ready]').waitFor();
  }

  async fill(person: Person): Promise<void> {
    await this.name.fill(person.name);
    await this.password.fill(person.password);
  }

  async submit(person: Person): Promise<void> {
    await this.fill(person);
    await this.button.click();
  }

  /** Records each countdown and whether the button could be used, because a second is too short to look. */
  async record(): Promise<() => Promise<string[]>> {
    await this.page.evaluate(() => {
      const steps: string[] = [];
      Object.assign(window, { steps });
      const form = document.querySelector('form');
      const look = () => {
        const disabled = form?.querySelector<HTMLButtonElement>('[type=submit]')?.disabled;
        const step = `${document.querySelector('#wait')?.textContent} | ${disabled ? 'disabled' : 'enabled'}`;
        if (steps.at(-1) !== step) steps.push(step);
      };
      if (form) new MutationObserver(look).observe(form, { subtree: true, childList: true, characterData: true, attributes: true });
    });
    return () => this.page.evaluate(() => (window as unknown as { steps: string[] }).steps);
  }

  /** Signs in and waits for the dashboard. */
  async signIn(person: Person): Promise<void> {
    await this.open();
    await this.submit(person);
    await this.page.waitForURL(at('/dashboard'));
  }
}
