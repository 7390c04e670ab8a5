// The bar at the top of the page. It selects the identity that requests are sent with.
import { useEffect, useId, useState } from 'react';
import icon from './icon.svg';
import {
  ANONYMOUS,
  refreshIdentities,
  selectIdentityManually,
  setPastedToken,
  useSession,
  type Identity,
} from './session';
import { decodeClaims, tokenExpiry } from './token';

export function TopBar() {
  const { devMode } = useSession();
  return (
    <header className="graphiql-container top-bar">
      <div className="top-bar-brand">
        <img src={icon} alt="" width={24} height={24} />
        <h1>Tenantry</h1>
        <span className="top-bar-subtitle">playground</span>
      </div>
      {devMode ? <IdentitySelector /> : <TokenInput />}
    </header>
  );
}

const ANONYMOUS_DESCRIPTION = 'no token: requests are unauthenticated';

function IdentitySelector() {
  const { identities, selected, error } = useSession();
  if (identities.length === 0) {
    return error ? <IdentitiesError /> : <p className="top-bar-description" role="status">Loading identities…</p>;
  }
  const selectedIdentity = identities.find(({ name }) => name === selected);
  return (
    <>
      <fieldset className="identities">
        <legend>Run as</legend>
        {identities.map(({ name, description }) => (
          <IdentityOption key={name} name={name} selected={selected} title={description} />
        ))}
        <IdentityOption name={ANONYMOUS} selected={selected} title={ANONYMOUS_DESCRIPTION} />
      </fieldset>
      {error ? <IdentitiesError /> : <IdentityDescription identity={selectedIdentity} />}
    </>
  );
}

function IdentitiesError() {
  const { error, loading } = useSession();
  return (
    <p className="top-bar-error" role="alert">
      {error}.{' '}
      <button type="button" className="small-button" onClick={() => void refreshIdentities()} disabled={loading}>
        Try again
      </button>
    </p>
  );
}

function IdentityOption({ name, selected, title }: { name: string; selected: string; title: string }) {
  return (
    <label className="identity-option" title={title}>
      <input
        type="radio"
        name="identity"
        value={name}
        checked={name === selected}
        onChange={() => selectIdentityManually(name)}
      />
      <span className="identity-initial" aria-hidden="true">
        {name === ANONYMOUS ? '–' : name.slice(0, 1).toUpperCase()}
      </span>
      {name}
    </label>
  );
}

function IdentityDescription({ identity }: { identity: Identity | undefined }) {
  return (
    <p className="top-bar-description" aria-live="polite">
      {identity ? identity.description : ANONYMOUS_DESCRIPTION}
      {identity && (
        <span className="token-subject">
          sub <code>{identity.subject}</code>
        </span>
      )}
    </p>
  );
}

function TokenInput() {
  const { pastedToken } = useSession();
  const id = useId();
  return (
    <>
      <div className="bearer-token">
        <label htmlFor={id}>Bearer token</label>
        <input
          id={id}
          type="password"
          autoComplete="off"
          spellCheck={false}
          placeholder="Paste an access token"
          value={pastedToken}
          onChange={(event) => setPastedToken(event.target.value)}
        />
        {pastedToken && (
          <button type="button" className="small-button" onClick={() => setPastedToken('')}>
            Clear
          </button>
        )}
      </div>
      <p className="top-bar-description" aria-live="polite">
        <TokenSummary token={pastedToken} />
      </p>
    </>
  );
}

function TokenSummary({ token }: { token: string }) {
  const now = useNow(10_000);
  if (!token) return 'Requests without a token are anonymous. A pasted token stays in this page and is not stored.';
  const claims = decodeClaims(token);
  if (!claims) return 'This token has no readable claims. Paste a JWT.';
  const expiry = tokenExpiry(token);
  const subject = typeof claims.sub === 'string' ? claims.sub : '(missing)';
  return (
    <>
      {expiry !== null && expiry <= now ? <strong className="token-expired">Expired. </strong> : null}
      {expiry !== null && expiry > now ? `Expires in ${formatMinutes(expiry - now)}. ` : null}
      <span className="token-subject">
        sub <code>{subject}</code>
      </span>
    </>
  );
}

function formatMinutes(milliseconds: number): string {
  const count = Math.floor(milliseconds / 60_000);
  if (count === 0) return 'less than a minute';
  return count === 1 ? '1 minute' : `${count} minutes`;
}

/** The current time, updated every `intervalMs` milliseconds. */
function useNow(intervalMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), intervalMs);
    return () => clearInterval(timer);
  }, [intervalMs]);
  return now;
}
