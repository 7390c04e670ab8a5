// What outlives the page. Headers never do: somebody may have written a token there, and GraphiQL's
// history would keep it whatever its own setting says. Where storage is shut, nothing does.

const OURS = ['graphiql:', 'tenantry:'];

export function kept(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function keep(key: string, value: string) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // It lives as long as the page.
  }
}

const keys = () => {
  try {
    return Object.keys(localStorage).filter((key) => OURS.some((start) => key.startsWith(start)));
  } catch {
    return [];
  }
};

function withoutHeaders(value: string): string {
  try {
    const parsed: unknown = JSON.parse(value);
    if (typeof parsed !== 'object' || parsed === null) return value;
    return JSON.stringify(parsed, (key, inner: unknown) => (key === 'headers' ? null : inner));
  } catch {
    return value; // It is no record of GraphiQL's own.
  }
}

/** For GraphiQL: all that it keeps goes through here. */
export const storage = {
  getItem: kept,
  // Documents and variables are kept as they are written; only records have headers in them.
  setItem: (key: string, value: string) => {
    const text = key === 'graphiql:query' || key === 'graphiql:variables';
    if (key !== 'graphiql:headers') keep(key, text ? value : withoutHeaders(value));
  },
  removeItem: (key: string) => {
    if (keys().includes(key)) localStorage.removeItem(key);
  },
  get length() {
    return keys().length;
  },
  clear: () => {
    for (const key of keys()) localStorage.removeItem(key);
  },
};
