// Access to the browser's local storage. Headers are never stored, because they may contain a token.
// GraphiQL's history would store them regardless of GraphiQL's own setting. If the browser denies access
// to the storage, the playground works without it.

const KEY_PREFIXES = ['graphiql:', 'tenantry:'];

export function loadItem(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function saveItem(key: string, value: string) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The value is lost when the page closes.
  }
}

const playgroundKeys = () => {
  try {
    return Object.keys(localStorage).filter((key) => KEY_PREFIXES.some((prefix) => key.startsWith(prefix)));
  } catch {
    return [];
  }
};

/** Removes all that the playground has stored. */
export function clearStorage() {
  for (const key of playgroundKeys()) localStorage.removeItem(key);
}

function removeHeaders(value: string): string {
  try {
    const parsed: unknown = JSON.parse(value);
    if (typeof parsed !== 'object' || parsed === null) return value;
    return JSON.stringify(parsed, (key, inner: unknown) => (key === 'headers' ? null : inner));
  } catch {
    return value; // The value is not JSON, so it is not a record that contains headers.
  }
}

/** The storage of GraphiQL. GraphiQL reads and writes everything through it. */
export const storage = {
  getItem: loadItem,
  // Documents and variables are stored unchanged. Only GraphiQL's JSON records contain headers.
  setItem: (key: string, value: string) => {
    const isEditorText = key === 'graphiql:query' || key === 'graphiql:variables';
    if (key !== 'graphiql:headers') saveItem(key, isEditorText ? value : removeHeaders(value));
  },
  removeItem: (key: string) => {
    if (playgroundKeys().includes(key)) localStorage.removeItem(key);
  },
  get length() {
    return playgroundKeys().length;
  },
  clear: clearStorage,
};
