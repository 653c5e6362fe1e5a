-- Which state this is.
CREATE TABLE meta (
  one          INTEGER PRIMARY KEY CHECK (one = 1),
  installation TEXT NOT NULL CHECK (length(installation) = 32),
  created_at   TEXT NOT NULL
) STRICT;

-- The trail. Who and when of every other table is found here, by seq.
CREATE TABLE audit (
  seq     INTEGER PRIMARY KEY CHECK (seq > 0),
  at      TEXT NOT NULL,
  actor   TEXT NOT NULL CHECK (json_valid(actor)),
  run     INTEGER,
  request TEXT,
  kind    TEXT NOT NULL,
  details TEXT NOT NULL CHECK (json_valid(details)),
  prev    BLOB NOT NULL CHECK (length(prev) = 32),
  hash    BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX audit_kind ON audit (kind);
CREATE INDEX audit_refused ON audit (actor, at) WHERE kind = 'refused';
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT raise(ABORT, 'entries of the trail are never changed'); END;
CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit WHEN old.seq >= coalesce((SELECT entries FROM cut), 0)
BEGIN SELECT raise(ABORT, 'entries of the trail are never removed'); END;

-- What people typed; the trail holds a digest of it. Some is still needed when its entry has been pruned.
CREATE TABLE audit_text (
  seq   INTEGER NOT NULL CHECK (seq > 0),
  field TEXT NOT NULL CHECK (field IN ('reason', 'reference')),
  salt  BLOB NOT NULL CHECK (length(salt) = 16),
  text  TEXT NOT NULL CHECK (text <> ''),
  PRIMARY KEY (seq, field)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint (
  entries INTEGER PRIMARY KEY REFERENCES audit (seq),
  hash    BLOB NOT NULL CHECK (length(hash) = 32),
  at      TEXT NOT NULL,
  note    TEXT NOT NULL
) STRICT;

-- With which entry the trail begins, once what came before was pruned: one that was signed.
CREATE TABLE cut (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  entries INTEGER NOT NULL REFERENCES checkpoint (entries),
  -- When it was signed: how old whatever else is pruned has to be.
  at      TEXT NOT NULL,
  -- Whether all of it has been removed.
  done    INTEGER NOT NULL CHECK (done IN (0, 1))
) STRICT;
-- Nothing can be pruned that the trail does not tell of, and what is pruned never comes back.
CREATE TRIGGER cut_is_told BEFORE INSERT ON cut WHEN NOT EXISTS
  (SELECT 1 FROM audit WHERE kind = 'pruned' AND details->>'first' = new.entries AND seq > new.entries)
BEGIN SELECT raise(ABORT, 'the trail does not tell that it is pruned there'); END;
CREATE TRIGGER cut_is_told_again BEFORE UPDATE OF one, entries, at ON cut WHEN new.entries < old.entries OR NOT EXISTS
  (SELECT 1 FROM audit WHERE kind = 'pruned' AND details->>'first' = new.entries AND seq > new.entries)
BEGIN SELECT raise(ABORT, 'the trail does not tell that it is pruned there'); END;
CREATE TRIGGER cut_is_not_removed BEFORE DELETE ON cut
BEGIN SELECT raise(ABORT, 'what was pruned stays pruned'); END;

-- Who and when of entries that were pruned, as long as something points to them.
CREATE TABLE kept (
  seq     INTEGER PRIMARY KEY,
  at      TEXT NOT NULL,
  actor   TEXT NOT NULL CHECK (json_valid(actor)),
  run     INTEGER,
  request TEXT
) STRICT;

-- What follows points to entries, runs and batches by number, which may have been pruned: no foreign keys.
CREATE TABLE run (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  job         TEXT NOT NULL CHECK (job IN ('prepare', 'erase', 'remove')),
  slot        TEXT,
  actor       TEXT CHECK (json_valid(actor)),
  dry_run     INTEGER NOT NULL CHECK (dry_run IN (0, 1)),
  state       TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'partly', 'failed', 'stopped')),
  queued_at   TEXT NOT NULL,
  started_at  TEXT,
  finished_at TEXT,
  report      TEXT NOT NULL CHECK (json_valid(report)),
  reason      TEXT,
  -- Where somebody lets it go on in spite of the brake: which run was stopped, and what stands for each of the sets.
  override    TEXT CHECK (json_valid(override)),
  -- One that tries again what an application's lock has left undone: from when on, and how often that has been tried.
  not_before  TEXT,
  tries       INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
  CHECK ((slot IS NULL) <> (actor IS NULL)),
  CHECK ((not_before IS NULL) = (tries = 0)),
  CHECK (CASE state
    WHEN 'queued'  THEN started_at IS NULL AND finished_at IS NULL
    WHEN 'running' THEN started_at IS NOT NULL AND finished_at IS NULL
    WHEN 'stopped' THEN finished_at IS NOT NULL
    ELSE started_at IS NOT NULL AND finished_at IS NOT NULL END),
  CHECK (reason IS NULL OR finished_at IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX run_slot ON run (job, slot) WHERE slot IS NOT NULL;
CREATE INDEX run_queued ON run (id) WHERE state = 'queued';
CREATE UNIQUE INDEX run_running ON run (job) WHERE state = 'running';

-- After which instant the slots of a job count.
CREATE TABLE schedule (
  job       TEXT PRIMARY KEY CHECK (job IN ('prepare', 'erase', 'remove')),
  last_slot TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Fingerprints name the key they were taken with and the columns they were taken over.
CREATE TABLE fingerprint_form (
  id       INTEGER PRIMARY KEY,
  key_id   TEXT NOT NULL,
  identity TEXT NOT NULL,
  UNIQUE (key_id, identity)
) STRICT;

CREATE TABLE batch (
  id        BLOB PRIMARY KEY CHECK (length(id) = 16),
  source    TEXT NOT NULL,
  run       INTEGER NOT NULL,
  state     TEXT NOT NULL CHECK (state IN ('open', 'committed', 'rolled_back')),
  opened_at TEXT NOT NULL,
  closed_at TEXT,
  -- All that the outcome will need, while it is needed.
  plan      TEXT CHECK (json_valid(plan)),
  CHECK ((state = 'open') = (closed_at IS NULL)),
  CHECK ((state = 'open') = (plan IS NOT NULL))
) STRICT;
-- No batch of a source starts before the last is settled.
CREATE UNIQUE INDEX batch_open ON batch (source) WHERE state = 'open';

CREATE TABLE proposal (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  category        TEXT NOT NULL,
  -- Sealed, while the proposal is open, where keys are personal; see `name`.
  key             TEXT NOT NULL,
  source          TEXT NOT NULL,
  unit            TEXT,
  origin          TEXT NOT NULL CHECK (origin IN ('criterion', 'application', 'clerk', 'shell')),
  criterion       TEXT,
  rule_version    TEXT,
  due_on          TEXT,
  fingerprint     BLOB NOT NULL CHECK (length(fingerprint) = 32),
  form            INTEGER NOT NULL REFERENCES fingerprint_form (id),
  -- None where a clerk has marked it.
  run             INTEGER,
  proposed_at     TEXT NOT NULL,
  changed_at      TEXT,
  -- Who decided last, by login name; nobody but the daemon has.
  decided_by      TEXT,
  -- When the last of the confirmations was given that the category asks for.
  confirmed_at    TEXT,
  -- The user who has given the first of two confirmations.
  first_by        INTEGER,
  -- What was confirmed together is erased together: the lowest id among them.
  together        INTEGER,
  version         INTEGER NOT NULL CHECK (version > 0),
  postponed_count INTEGER NOT NULL CHECK (postponed_count >= 0),
  state           TEXT NOT NULL
                  CHECK (state IN ('proposed', 'confirmed', 'postponed', 'erasing', 'erased', 'withdrawn')),
  until           TEXT,
  batch           BLOB,
  outcome         TEXT CHECK (outcome IN ('deleted', 'anonymised')),
  reason          TEXT,
  detail          TEXT,
  -- What stands for a sealed key as soon as nobody needs the key itself.
  name            TEXT CHECK (name LIKE '#%'),
  CHECK (name IS NULL OR key LIKE '$%'),
  CHECK ((origin = 'criterion') = (criterion IS NOT NULL)),
  CHECK ((origin IN ('criterion', 'application')) = (rule_version IS NOT NULL)),
  CHECK (first_by IS NULL OR state IN ('proposed', 'confirmed', 'erasing', 'erased')),
  CHECK ((origin = 'clerk') = (run IS NULL)),
  CHECK ((state IN ('confirmed', 'erasing', 'erased')) = (confirmed_at IS NOT NULL)),
  CHECK ((state = 'postponed') = (until IS NOT NULL)),
  CHECK (state <> 'postponed' OR postponed_count > 0),
  CHECK ((state IN ('erasing', 'erased')) = (batch IS NOT NULL)),
  CHECK ((state = 'erased') = (outcome IS NOT NULL)),
  CHECK (CASE state
    WHEN 'withdrawn' THEN reason IS NOT NULL AND reason IN ('no_longer_due', 'gone', 'another_person', 'taken_back', 'kept_again',
                                                                  'in_use')
    WHEN 'proposed'  THEN reason IS NULL
                       OR reason IN ('changed_person', 'other_criterion', 'other_rule_version', 'retained', 'needs_second',
                                     'needs_person', 'batch_failed', 'together')
    ELSE reason IS NULL END),
  CHECK ((detail IS NOT NULL) = (coalesce(reason, '') IN ('no_longer_due', 'retained', 'batch_failed', 'together'))),
  CHECK (together IS NULL OR state IN ('proposed', 'confirmed', 'erasing', 'erased'))
) STRICT;
-- A record has at most one open proposal.
CREATE UNIQUE INDEX proposal_open ON proposal (category, key)
  WHERE state IN ('proposed', 'confirmed', 'postponed', 'erasing');
CREATE INDEX proposal_closed ON proposal (category, key) WHERE state IN ('erased', 'withdrawn');
-- Few: what is neither proposed nor erased is not in it.
CREATE INDEX proposal_postponed ON proposal (category, key) WHERE state = 'postponed';
-- What the final job goes through.
CREATE INDEX proposal_confirmed ON proposal (category) WHERE state = 'confirmed';

-- What the trail calls records by whose keys are sealed.
CREATE INDEX proposal_name ON proposal (category, name) WHERE name IS NOT NULL;
CREATE TRIGGER proposal_forgets_its_key AFTER UPDATE OF state ON proposal
WHEN new.name IS NOT NULL AND new.state IN ('erased', 'withdrawn')
BEGIN UPDATE proposal SET key = new.name, name = NULL WHERE id = new.id; END;

-- Few, and found by their groups.
CREATE INDEX proposal_together ON proposal (together)
  WHERE together IS NOT NULL AND state IN ('proposed', 'confirmed');

-- How many proposals there are, kept by each change that moves some: nobody counts a million of them.
CREATE TABLE proposal_total (
  category  TEXT NOT NULL,
  criterion TEXT NOT NULL,
  -- Empty where there is none, else '=' and its name.
  unit      TEXT NOT NULL CHECK (unit = '' OR unit LIKE '=%'),
  state     TEXT NOT NULL,
  proposals INTEGER NOT NULL CHECK (proposals >= 0),
  PRIMARY KEY (category, criterion, unit, state)
) STRICT, WITHOUT ROWID;

-- What happened to a proposal between its beginning and its batch.
CREATE TABLE decision (
  proposal INTEGER NOT NULL REFERENCES proposal (id),
  seq      INTEGER NOT NULL,
  decision TEXT NOT NULL
           CHECK (decision IN ('marked', 'first_confirmed', 'confirmed', 'postponed', 'restored', 'withdrawn',
                               'postponement_over', 'returned')),
  until    TEXT,
  reason   TEXT,
  detail   TEXT,
  -- The name of the standard reason that a person gave; what is typed lies beside the trail.
  standard TEXT CHECK (standard <> ''),
  PRIMARY KEY (proposal, seq),
  CHECK ((decision = 'postponed') = (until IS NOT NULL)),
  CHECK ((decision IN ('withdrawn', 'returned')) = (reason IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- Records that may not be erased until they are released: on the key, whoever is under it. Why, and under which
-- reference, lies beside the trail where it was typed.
CREATE TABLE hold (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  category        TEXT NOT NULL,
  key             TEXT NOT NULL,
  unit            TEXT,
  fingerprint     BLOB NOT NULL CHECK (length(fingerprint) = 32),
  form            INTEGER NOT NULL REFERENCES fingerprint_form (id),
  standard        TEXT CHECK (standard <> ''),
  set_seq         INTEGER NOT NULL,
  -- The first of two people has asked for its release.
  asked_seq       INTEGER,
  -- From when on the wait behind that counts; the trail has what the clock showed.
  asked_at        TEXT,
  asked_standard  TEXT CHECK (asked_standard <> ''),
  released_seq    INTEGER,
  -- What stands for a sealed key once it is released.
  name            TEXT CHECK (name LIKE '#%'),
  CHECK (name IS NULL OR key LIKE '$%'),
  CHECK ((asked_at IS NULL) = (asked_seq IS NULL)),
  CHECK (asked_standard IS NULL OR asked_seq IS NOT NULL)
) STRICT;
CREATE TRIGGER hold_forgets_its_key AFTER UPDATE OF released_seq ON hold
WHEN new.name IS NOT NULL AND new.released_seq IS NOT NULL
BEGIN UPDATE hold SET key = new.name, name = NULL WHERE id = new.id; END;
-- What stands: few.
CREATE INDEX hold_standing ON hold (category, key) WHERE released_seq IS NULL;

-- What was erased, so that it is known when it comes back.
CREATE TABLE ledger (
  id          INTEGER PRIMARY KEY,
  category    TEXT NOT NULL,
  key         TEXT NOT NULL,
  batch       BLOB NOT NULL,
  outcome     TEXT NOT NULL CHECK (outcome IN ('deleted', 'anonymised')),
  before      BLOB NOT NULL CHECK (length(before) = 32),
  before_form INTEGER NOT NULL REFERENCES fingerprint_form (id),
  after       BLOB CHECK (length(after) = 32),
  after_form  INTEGER REFERENCES fingerprint_form (id),
  erased_at   TEXT NOT NULL,
  -- The sealed key of an anonymised record, whose `key` is its name: its row is still there, and is to be found when
  -- nothing keeps it any more.
  sealed      TEXT CHECK (sealed LIKE '$%'),
  CHECK (sealed IS NULL OR (outcome = 'anonymised' AND key LIKE '#%')),
  CHECK ((after IS NULL) = (after_form IS NULL)),
  CHECK (after IS NULL OR outcome = 'anonymised')
) STRICT;
CREATE INDEX ledger_record ON ledger (category, key);

-- The last batch may be one that this state does not know: after an operator has accepted what a marker carries.
CREATE TABLE source_state (
  source        TEXT PRIMARY KEY,
  last_batch    BLOB CHECK (length(last_batch) = 16),
  closed_reason TEXT CHECK (closed_reason <> ''),
  closed_at     TEXT,
  -- Opened again, and nobody has looked since whom a backup has brought back.
  reopened      INTEGER NOT NULL DEFAULT 0 CHECK (reopened IN (0, 1)),
  CHECK ((closed_reason IS NULL) = (closed_at IS NULL))
) STRICT, WITHOUT ROWID;

-- Rules that were changed while the daemon ran: what holds over the files, and what waits for a second person.
CREATE TABLE rule_change (
  name        TEXT NOT NULL,
  waits       INTEGER NOT NULL CHECK (waits IN (0, 1)),
  -- Nothing: the file's value is to hold again.
  value       TEXT CHECK (value <> ''),
  -- What the file said then.
  file        TEXT NOT NULL,
  seq         INTEGER NOT NULL CHECK (seq > 0),
  at          TEXT NOT NULL,
  actor       TEXT NOT NULL CHECK (json_valid(actor)),
  approved_at TEXT,
  approved_by TEXT CHECK (json_valid(approved_by)),
  PRIMARY KEY (name, waits),
  CHECK (waits = 1 OR value IS NOT NULL),
  CHECK ((approved_at IS NULL) = (approved_by IS NULL)),
  CHECK (waits = 0 OR approved_at IS NULL)
) STRICT, WITHOUT ROWID;

-- What was assigned to people while the daemon runs, on top of the grants of the settings. Each row was made by an entry of
-- the trail; another ends it.
CREATE TABLE access (
  seq      INTEGER PRIMARY KEY,
  what     TEXT NOT NULL CHECK (what IN ('unit', 'record', 'deny', 'stand_in')),
  -- Whose access it is, by login name.
  user     TEXT NOT NULL CHECK (user <> ''),
  unit     TEXT,
  category TEXT,
  key      TEXT,
  fingerprint BLOB CHECK (length(fingerprint) = 32),
  form     INTEGER REFERENCES fingerprint_form (id),
  -- Whose place the user takes, through the last day.
  other    TEXT CHECK (other <> user),
  until    TEXT,
  ended    INTEGER,
  -- What stands for a sealed key once it has ended; whoever holds what is closed against it holds it against this.
  name     TEXT CHECK (name LIKE '#%'),
  CHECK (name IS NULL OR key LIKE '$%'),
  CHECK ((what = 'unit') = (unit IS NOT NULL)),
  CHECK ((what IN ('record', 'deny')) = (category IS NOT NULL)),
  CHECK ((what IN ('record', 'deny')) = (key IS NOT NULL)),
  CHECK ((what IN ('record', 'deny')) = (fingerprint IS NOT NULL)),
  CHECK ((what IN ('record', 'deny')) = (form IS NOT NULL)),
  CHECK ((what = 'stand_in') = (other IS NOT NULL)),
  CHECK ((what = 'stand_in') = (until IS NOT NULL))
) STRICT;
-- What is asked at every request: what somebody has now.
CREATE INDEX access_now ON access (user) WHERE ended IS NULL;
CREATE TRIGGER access_forgets_its_key AFTER UPDATE OF ended ON access
WHEN new.name IS NOT NULL AND new.ended IS NOT NULL
BEGIN UPDATE access SET key = new.name, name = NULL WHERE seq = new.seq; END;

-- Categories whose keys are personal: for ever, because what is named by a digest cannot be named otherwise again.
CREATE TABLE personal_key (
  category TEXT PRIMARY KEY,
  since    INTEGER NOT NULL CHECK (since > 0)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER personal_key_stays BEFORE DELETE ON personal_key
BEGIN SELECT raise(ABORT, 'keys that were personal stay so'); END;

-- What each category's part of a schema looked like when it was last accepted, and whether its gate is closed.
CREATE TABLE schema_gate (
  category      TEXT PRIMARY KEY,
  -- None where it has never fitted.
  shape         TEXT CHECK (json_valid(shape)),
  closed_reason TEXT CHECK (closed_reason <> ''),
  closed_at     TEXT,
  CHECK ((closed_reason IS NULL) = (closed_at IS NULL))
) STRICT, WITHOUT ROWID;

-- What a source still owes to what was erased in it: until each of these steps has been done after the last batch that owes
-- it, bytes of the erased may be in its files.
CREATE TABLE removal (
  source       TEXT NOT NULL,
  step         TEXT NOT NULL CHECK (step IN ('full_text', 'statistics', 'vacuum', 'rebuild', 'checkpoint', 'proof')),
  -- When the first of the batches was done, and the run that it belongs to; no reference: runs are pruned.
  since        TEXT NOT NULL,
  run          INTEGER NOT NULL,
  -- The oldest confirmation of what was erased.
  confirmed_at TEXT NOT NULL,
  batches      INTEGER NOT NULL CHECK (batches > 0),
  records      INTEGER NOT NULL CHECK (records > 0),
  -- How often it was tried in vain, when last, and why.
  tries        INTEGER NOT NULL CHECK (tries >= 0),
  tried_at     TEXT,
  why          TEXT CHECK (why <> ''),
  next_at      TEXT NOT NULL,
  PRIMARY KEY (source, step),
  CHECK ((tries = 0) = (tried_at IS NULL)),
  CHECK ((tried_at IS NULL) = (why IS NULL))
) STRICT, WITHOUT ROWID;

-- The newest time at which the state was written, as long as the clock was believed. What the clock showed when it was
-- believed first since the machine was started, and how much time had passed until then since it began to be counted. What
-- it showed last when it was far ahead, until it is believed again.
CREATE TABLE clock (
  one       INTEGER PRIMARY KEY CHECK (one = 1),
  newest_at TEXT NOT NULL,
  anchor_at TEXT,
  passed_ms INTEGER CHECK (passed_ms >= 0),
  began     TEXT,
  ahead_at  TEXT,
  CHECK ((anchor_at IS NULL) = (passed_ms IS NULL)),
  CHECK ((anchor_at IS NULL) = (began IS NULL))
) STRICT;
