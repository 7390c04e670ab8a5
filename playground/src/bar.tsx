// The bar on top: where this is, and who asks.
import { useEffect, useId, useState } from 'react';
import { NOBODY, paste, renew, switchTo, useSession, type Identity } from './session';
import { claims, expiry } from './token';
import icon from './icon.svg';

export function Bar() {
  const { dev } = useSession();
  return (
    <header className="graphiql-container bar">
      <div className="bar-brand">
        <img src={icon} alt="" width={24} height={24} />
        <h1>Tenantry</h1>
        <span className="bar-kind">playground</span>
      </div>
      {dev ? <Identities /> : <Bearer />}
    </header>
  );
}

const NOBODY_DESCRIPTION = 'no token: what somebody sees who has not signed in';

function Identities() {
  const { identities, chosen, fault } = useSession();
  if (identities.length === 0) {
    return fault ? <Fault /> : <p className="bar-about" role="status">Loading identities…</p>;
  }
  const identity = identities.find(({ name }) => name === chosen);
  return (
    <>
      <fieldset className="who">
        <legend>Ask as</legend>
        {identities.map((one) => (
          <Choice key={one.name} name={one.name} chosen={chosen} title={one.description} />
        ))}
        <Choice name={NOBODY} chosen={chosen} title={NOBODY_DESCRIPTION} />
      </fieldset>
      {fault ? <Fault /> : <About identity={identity} />}
    </>
  );
}

function Fault() {
  const { fault, loading } = useSession();
  return (
    <p className="bar-fault" role="alert">
      {fault}.{' '}
      <button type="button" className="bar-button" onClick={() => void renew()} disabled={loading}>
        Try again
      </button>
    </p>
  );
}

function Choice({ name, chosen, title }: { name: string; chosen: string; title: string }) {
  return (
    <label className="who-choice" title={title}>
      <input
        type="radio"
        name="identity"
        value={name}
        checked={name === chosen}
        onChange={() => switchTo(name)}
      />
      <span className="who-initial" aria-hidden="true">
        {name === NOBODY ? '–' : name.slice(0, 1).toUpperCase()}
      </span>
      {name}
    </label>
  );
}

function About({ identity }: { identity: Identity | undefined }) {
  return (
    <p className="bar-about" aria-live="polite">
      {identity ? identity.description : NOBODY_DESCRIPTION}
      {identity && (
        <span className="bar-subject">
          sub <code>{identity.subject}</code>
        </span>
      )}
    </p>
  );
}

function Bearer() {
  const { pasted } = useSession();
  const id = useId();
  return (
    <>
      <div className="bearer">
        <label htmlFor={id}>Bearer token</label>
        <input
          id={id}
          type="password"
          autoComplete="off"
          spellCheck={false}
          placeholder="Paste an access token"
          value={pasted}
          onChange={(event) => paste(event.target.value)}
        />
        {pasted && (
          <button type="button" className="bar-button" onClick={() => paste('')}>
            Clear
          </button>
        )}
      </div>
      <p className="bar-about" aria-live="polite">
        <TokenState token={pasted} />
      </p>
    </>
  );
}

function TokenState({ token }: { token: string }) {
  const now = useNow(10_000);
  if (!token) return 'No token: requests run as nobody. It is kept in this page alone.';
  const told = claims(token);
  if (!told) return 'That is no token that can be read: it has no claims.';
  const at = expiry(token);
  const who = typeof told.sub === 'string' ? told.sub : 'nobody it names';
  return (
    <>
      {at !== null && at <= now ? <strong className="bar-expired">Expired. </strong> : null}
      {at !== null && at > now ? `Good for ${minutes(at - now)}. ` : null}
      <span className="bar-subject">
        sub <code>{who}</code>
      </span>
    </>
  );
}

function minutes(millis: number): string {
  const count = Math.floor(millis / 60_000);
  if (count === 0) return 'less than a minute';
  return count === 1 ? 'a minute' : `${count} minutes`;
}

function useNow(every: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}
