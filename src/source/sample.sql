-- The schema of the sample database: a small CRM as many firms have one. It belongs to the sample application, not to
-- the daemon, and it has the habits of such schemas: a name that is copied into orders and invoices, a reference without
-- an index, dates in three formats, a search index fed by triggers, a table that refers to itself.

CREATE TABLE branches (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    city TEXT NOT NULL
);

-- Users of the application: the firm's own staff. Unix seconds.
CREATE TABLE users (
    id            INTEGER PRIMARY KEY,
    branch_id     INTEGER REFERENCES branches (id),
    login         TEXT NOT NULL UNIQUE,
    display_name  TEXT NOT NULL,
    email         TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    created_on    TEXT NOT NULL,
    last_login    INTEGER,
    person_id     INTEGER REFERENCES persons (id) ON DELETE SET NULL
) STRICT;
CREATE INDEX users_by_person ON users (person_id);

CREATE TABLE sessions (
    token      TEXT PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_agent TEXT
) WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE tasks (
    id          INTEGER PRIMARY KEY,
    assigned_to INTEGER REFERENCES users (id) ON DELETE SET NULL,
    title       TEXT NOT NULL,
    due_on      TEXT NOT NULL
);
CREATE INDEX tasks_by_user ON tasks (assigned_to);

CREATE TABLE change_log (
    id         INTEGER PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    what       TEXT NOT NULL,
    changed_on TEXT NOT NULL
);
CREATE INDEX change_log_by_user ON change_log (user_id);

-- Prospects: people who might buy, and those who did. ISO dates.
CREATE TABLE prospects (
    id              INTEGER PRIMARY KEY,
    branch_id       INTEGER NOT NULL REFERENCES branches (id),
    first_name      TEXT,
    last_name       TEXT NOT NULL,
    email           TEXT NOT NULL UNIQUE,
    phone           TEXT,
    birth_date      TEXT,
    status          TEXT NOT NULL CHECK (status IN ('new', 'contacted', 'customer', 'lost', 'objected')),
    created_on      TEXT NOT NULL,
    last_contact_on TEXT,
    remark          TEXT,
    person_id       INTEGER REFERENCES persons (id)
);
CREATE INDEX prospects_by_person ON prospects (person_id);
CREATE INDEX prospects_by_last_contact ON prospects (last_contact_on);

CREATE TABLE addresses (
    id          INTEGER PRIMARY KEY,
    prospect_id INTEGER NOT NULL REFERENCES prospects (id) ON DELETE CASCADE,
    street      TEXT NOT NULL,
    postcode    TEXT NOT NULL,
    city        TEXT NOT NULL
);
CREATE INDEX addresses_by_prospect ON addresses (prospect_id);

-- The reference to prospects has no index, as happens.
CREATE TABLE contact_notes (
    id          INTEGER PRIMARY KEY,
    prospect_id INTEGER NOT NULL REFERENCES prospects (id),
    written_on  TEXT NOT NULL,
    note        TEXT NOT NULL
);

CREATE TABLE shipping_addresses (
    id       INTEGER PRIMARY KEY,
    name     TEXT,
    street   TEXT,
    postcode TEXT,
    city     TEXT,
    country  TEXT NOT NULL
);

CREATE TABLE orders (
    id                  INTEGER PRIMARY KEY,
    number              TEXT NOT NULL UNIQUE,
    prospect_id         INTEGER NOT NULL REFERENCES prospects (id),
    shipping_address_id INTEGER REFERENCES shipping_addresses (id),
    handled_by          INTEGER REFERENCES users (id),
    ship_name           TEXT,
    ordered_on          TEXT NOT NULL,
    total_cents         INTEGER NOT NULL
);
CREATE INDEX orders_by_prospect ON orders (prospect_id);
CREATE INDEX orders_by_shipping_address ON orders (shipping_address_id);
CREATE INDEX orders_by_user ON orders (handled_by);

CREATE TABLE order_lines (
    order_id    INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    line        INTEGER NOT NULL,
    article     TEXT NOT NULL,
    quantity    INTEGER NOT NULL CHECK (quantity > 0),
    price_cents INTEGER NOT NULL,
    engraving   TEXT,
    PRIMARY KEY (order_id, line)
) WITHOUT ROWID;

CREATE TABLE invoices (
    id              INTEGER PRIMARY KEY,
    number          TEXT NOT NULL UNIQUE,
    prospect_id     INTEGER NOT NULL REFERENCES prospects (id),
    order_id        INTEGER REFERENCES orders (id),
    billing_name    TEXT,
    billing_address TEXT,
    invoice_date    TEXT NOT NULL,
    total_cents     INTEGER NOT NULL
);
CREATE INDEX invoices_by_prospect ON invoices (prospect_id);
CREATE INDEX invoices_by_order ON invoices (order_id);

-- Persons: contacts at partners, authorities, the press. German dates.
CREATE TABLE persons (
    id           INTEGER PRIMARY KEY,
    branch_id    INTEGER REFERENCES branches (id),
    first_name   TEXT,
    last_name    TEXT NOT NULL,
    organisation TEXT,
    email        TEXT,
    birth_date   TEXT,
    last_contact TEXT
);

CREATE TABLE person_addresses (
    id        INTEGER PRIMARY KEY,
    person_id INTEGER NOT NULL REFERENCES persons (id),
    street    TEXT NOT NULL,
    postcode  TEXT NOT NULL,
    city      TEXT NOT NULL
);
CREATE INDEX person_addresses_by_person ON person_addresses (person_id);

CREATE TABLE donations (
    id           INTEGER PRIMARY KEY,
    person_id    INTEGER NOT NULL REFERENCES persons (id),
    donor_name   TEXT,
    donated_on   TEXT NOT NULL,
    amount_cents INTEGER NOT NULL
);
CREATE INDEX donations_by_person ON donations (person_id);

CREATE TABLE meetings (
    id           INTEGER PRIMARY KEY,
    organiser_id INTEGER REFERENCES persons (id) ON DELETE SET NULL,
    held_on      TEXT NOT NULL,
    topic        TEXT NOT NULL
);
CREATE INDEX meetings_by_organiser ON meetings (organiser_id);

CREATE TABLE meeting_guests (
    meeting_id INTEGER NOT NULL REFERENCES meetings (id) ON DELETE CASCADE,
    person_id  INTEGER NOT NULL REFERENCES persons (id) ON DELETE CASCADE,
    PRIMARY KEY (meeting_id, person_id)
) WITHOUT ROWID;
CREATE INDEX meeting_guests_by_person ON meeting_guests (person_id);

-- Members of the customers' club. The key is text; the leaving date carries a time.
CREATE TABLE members (
    member_no    TEXT NOT NULL PRIMARY KEY,
    branch_id    INTEGER NOT NULL REFERENCES branches (id),
    first_name   TEXT NOT NULL,
    last_name    TEXT NOT NULL,
    email        TEXT NOT NULL UNIQUE,
    birth_date   TEXT NOT NULL,
    iban         TEXT,
    joined_on    TEXT NOT NULL,
    left_at      TEXT,
    recruited_by TEXT REFERENCES members (member_no)
);
CREATE INDEX members_by_recruiter ON members (recruited_by);
CREATE INDEX members_by_leaving ON members (left_at);

-- Which person is which member: some firms have such a table in between.
CREATE TABLE person_members (
    person_id INTEGER NOT NULL REFERENCES persons (id) ON DELETE CASCADE,
    member_no TEXT NOT NULL REFERENCES members (member_no) ON DELETE CASCADE,
    PRIMARY KEY (person_id, member_no)
) WITHOUT ROWID;
CREATE INDEX person_members_by_member ON person_members (member_no);

CREATE TABLE fees (
    id           INTEGER PRIMARY KEY,
    member_no    TEXT NOT NULL REFERENCES members (member_no),
    payer_name   TEXT,
    payer_iban   TEXT,
    paid_on      TEXT NOT NULL,
    amount_cents INTEGER NOT NULL
);
CREATE INDEX fees_by_member ON fees (member_no);

CREATE TABLE bookings (
    id        INTEGER PRIMARY KEY,
    member_no TEXT NOT NULL REFERENCES members (member_no) ON DELETE CASCADE,
    course    TEXT NOT NULL,
    booked_on TEXT NOT NULL
);
CREATE INDEX bookings_by_member ON bookings (member_no);

CREATE TABLE booking_notes (
    booking_id INTEGER NOT NULL REFERENCES bookings (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    note       TEXT NOT NULL,
    PRIMARY KEY (booking_id, position)
) WITHOUT ROWID;

CREATE TRIGGER members_keep_their_number BEFORE UPDATE OF member_no ON members
WHEN new.member_no IS NOT old.member_no
BEGIN
    SELECT RAISE(ABORT, 'a member keeps the number for ever');
END;

-- Search by name. The indexes hold no copy of the rows, but every word of them; triggers keep them up to date.
CREATE VIRTUAL TABLE prospect_search USING fts5 (first_name, last_name, email, content = 'prospects', content_rowid = 'id');

CREATE TRIGGER prospects_search_insert AFTER INSERT ON prospects BEGIN
    INSERT INTO prospect_search (rowid, first_name, last_name, email)
    VALUES (new.id, new.first_name, new.last_name, new.email);
END;
CREATE TRIGGER prospects_search_delete AFTER DELETE ON prospects BEGIN
    INSERT INTO prospect_search (prospect_search, rowid, first_name, last_name, email)
    VALUES ('delete', old.id, old.first_name, old.last_name, old.email);
END;
CREATE TRIGGER prospects_search_update AFTER UPDATE OF first_name, last_name, email ON prospects BEGIN
    INSERT INTO prospect_search (prospect_search, rowid, first_name, last_name, email)
    VALUES ('delete', old.id, old.first_name, old.last_name, old.email);
    INSERT INTO prospect_search (rowid, first_name, last_name, email)
    VALUES (new.id, new.first_name, new.last_name, new.email);
END;

CREATE VIRTUAL TABLE person_search USING fts5 (first_name, last_name, organisation, content = 'persons', content_rowid = 'id');

CREATE TRIGGER persons_search_insert AFTER INSERT ON persons BEGIN
    INSERT INTO person_search (rowid, first_name, last_name, organisation)
    VALUES (new.id, new.first_name, new.last_name, new.organisation);
END;
CREATE TRIGGER persons_search_delete AFTER DELETE ON persons BEGIN
    INSERT INTO person_search (person_search, rowid, first_name, last_name, organisation)
    VALUES ('delete', old.id, old.first_name, old.last_name, old.organisation);
END;
CREATE TRIGGER persons_search_update AFTER UPDATE OF first_name, last_name, organisation ON persons BEGIN
    INSERT INTO person_search (person_search, rowid, first_name, last_name, organisation)
    VALUES ('delete', old.id, old.first_name, old.last_name, old.organisation);
    INSERT INTO person_search (rowid, first_name, last_name, organisation)
    VALUES (new.id, new.first_name, new.last_name, new.organisation);
END;
