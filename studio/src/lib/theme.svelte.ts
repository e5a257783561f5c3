import { MediaQuery } from 'svelte/reactivity';

export type ThemeChoice = 'system' | 'light' | 'dark';

const KEY = 'plumbline.theme';

function stored(): ThemeChoice {
  const value = localStorage.getItem(KEY);
  return value === 'light' || value === 'dark' ? value : 'system';
}

/** Light, dark, or as the system has it; kept in this browser. `app.html` applies it before the first paint. */
class Theme {
  choice = $state<ThemeChoice>(stored());
  readonly #dark = new MediaQuery('(prefers-color-scheme: dark)');

  /** What is shown. */
  get shown(): 'light' | 'dark' {
    if (this.choice !== 'system') return this.choice;
    return this.#dark.current ? 'dark' : 'light';
  }

  choose(choice: ThemeChoice): void {
    this.choice = choice;
    if (choice === 'system') {
      localStorage.removeItem(KEY);
      delete document.documentElement.dataset['theme'];
    } else {
      localStorage.setItem(KEY, choice);
      document.documentElement.dataset['theme'] = choice;
    }
  }
}

export const theme = new Theme();
