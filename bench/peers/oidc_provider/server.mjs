// npm's oidc-provider as a client-credentials server over PostgreSQL, clients in the database as well: what the
// bench compares with. The database is that of libpq's variables (PGHOST, PGDATABASE, ...), the table `stored`
// made by bench/compare/oidc.py; PORT is where it listens.

import { Provider } from 'oidc-provider';
import pg from 'pg';

const pool = new pg.Pool({ max: 8 });

// Named statements are prepared once for each connection.
const run = (name, text, values) => pool.query({ name, text, values });

class PostgresAdapter {
  constructor(model) {
    this.model = model;
  }

  async upsert(id, payload, expiresIn) {
    const ends = expiresIn ? new Date(Date.now() + expiresIn * 1000) : null;
    await run(
      'upsert',
      `INSERT INTO stored (model, id, payload, ends_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (model, id) DO UPDATE SET payload = $3, ends_at = $4`,
      [this.model, id, JSON.stringify(payload), ends],
    );
  }

  async find(id) {
    const { rows } = await run(
      'find',
      'SELECT payload FROM stored WHERE model = $1 AND id = $2 AND (ends_at IS NULL OR ends_at > now())',
      [this.model, id],
    );
    return rows[0]?.payload;
  }

  async findByUid(uid) {
    return this.findBy('uid', uid);
  }

  async findByUserCode(userCode) {
    return this.findBy('userCode', userCode);
  }

  async findBy(key, value) {
    const { rows } = await run(
      'findBy',
      'SELECT payload FROM stored WHERE model = $1 AND payload ->> $2 = $3',
      [this.model, key, value],
    );
    return rows[0]?.payload;
  }

  async consume(id) {
    await run(
      'consume',
      `UPDATE stored SET payload = payload || jsonb_build_object('consumed', extract(epoch FROM now())::int)
       WHERE model = $1 AND id = $2`,
      [this.model, id],
    );
  }

  async destroy(id) {
    await run('destroy', 'DELETE FROM stored WHERE model = $1 AND id = $2', [this.model, id]);
  }

  async revokeByGrantId(grantId) {
    await run('revoke', "DELETE FROM stored WHERE model = $1 AND payload ->> 'grantId' = $2", [this.model, grantId]);
  }
}

const port = Number(process.env.PORT);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  adapter: PostgresAdapter,
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    devInteractions: { enabled: false },
  },
  ttl: { ClientCredentials: 86_400 },
});
provider.on('server_error', (_context, error) => console.error(error));
provider.listen(port, '127.0.0.1');
