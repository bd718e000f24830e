CREATE TABLE alarms (
    id INTEGER NOT NULL,
    at BIGINT NOT NULL,
    kind VARCHAR(40) NOT NULL,
    terminal VARCHAR(80) NOT NULL,
    detail VARCHAR(300) NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE audit_heads (
    terminal VARCHAR(80) NOT NULL,
    sequence BIGINT NOT NULL,
    chain_hash VARCHAR(128) NOT NULL,
    signature TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (terminal, sequence)
);
CREATE TABLE claims (
    id VARCHAR(200) NOT NULL,
    slot_id VARCHAR(80) NOT NULL,
    day VARCHAR(10) NOT NULL,
    number INTEGER NOT NULL,
    state VARCHAR(10) NOT NULL,
    person VARCHAR(80) NOT NULL,
    terminal VARCHAR(80) NOT NULL,
    until BIGINT,
    lease_id VARCHAR(200) NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX claims_by_day ON claims (day, state);
CREATE UNIQUE INDEX claims_one_number_once ON claims (slot_id, number) WHERE state IN ('held', 'booked', 'leased');
CREATE TABLE differences (
    day VARCHAR(10) NOT NULL,
    reference VARCHAR(200) NOT NULL,
    difference VARCHAR(30) NOT NULL,
    net_fen BIGINT NOT NULL,
    booked_fen BIGINT NOT NULL,
    journal VARCHAR(30) NOT NULL,
    PRIMARY KEY (day, reference)
);
CREATE TABLE hand_overs (
    slip VARCHAR(80) NOT NULL,
    terminal VARCHAR(80) NOT NULL,
    person VARCHAR(80) NOT NULL,
    purpose VARCHAR(60) NOT NULL,
    reference VARCHAR(200) NOT NULL,
    amount_fen BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (slip, terminal)
);
CREATE TABLE help_calls (
    "key" VARCHAR(200) NOT NULL,
    terminal VARCHAR(80) NOT NULL,
    place VARCHAR(200) NOT NULL,
    page VARCHAR(60) NOT NULL,
    sort VARCHAR(20) NOT NULL,
    at BIGINT NOT NULL,
    coming VARCHAR(80) NOT NULL,
    answered BIGINT,
    PRIMARY KEY ("key")
);
CREATE TABLE look_ups (
    id INTEGER NOT NULL,
    at BIGINT NOT NULL,
    terminal VARCHAR(80) NOT NULL,
    number_hash VARCHAR(64) NOT NULL,
    operator VARCHAR(80) NOT NULL,
    because VARCHAR(300) NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE operations (
    "key" VARCHAR(200) NOT NULL,
    endpoint VARCHAR(40) NOT NULL,
    terminal VARCHAR(80) NOT NULL,
    body_hash VARCHAR(64) NOT NULL,
    reply BLOB,
    at BIGINT NOT NULL,
    PRIMARY KEY ("key")
);
CREATE TABLE operators (
    name VARCHAR(80) NOT NULL,
    role VARCHAR(20) NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE payment_states (
    terminal VARCHAR(80) NOT NULL,
    sequence BIGINT NOT NULL,
    reference VARCHAR(200) NOT NULL,
    state VARCHAR(30) NOT NULL,
    amount_fen BIGINT NOT NULL,
    evidence TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (terminal, sequence)
);
CREATE INDEX ix_payment_states_reference ON payment_states (reference);
CREATE TABLE provider_files (
    digest VARCHAR(64) NOT NULL,
    channel VARCHAR(10) NOT NULL,
    day VARCHAR(10) NOT NULL,
    at BIGINT NOT NULL,
    superseded BOOLEAN NOT NULL,
    PRIMARY KEY (digest)
);
CREATE INDEX ix_provider_files_day ON provider_files (day);
CREATE TABLE provider_rows (
    digest VARCHAR(64) NOT NULL,
    line INTEGER NOT NULL,
    moved VARCHAR(10) NOT NULL,
    reference VARCHAR(200) NOT NULL,
    provider_reference VARCHAR(80) NOT NULL,
    amount_fen BIGINT NOT NULL,
    PRIMARY KEY (digest, line)
);
CREATE TABLE records (
    terminal VARCHAR(80) NOT NULL,
    sequence BIGINT NOT NULL,
    "key" VARCHAR(200) NOT NULL,
    kind VARCHAR(40) NOT NULL,
    at BIGINT NOT NULL,
    received BIGINT NOT NULL,
    body_hash VARCHAR(64) NOT NULL,
    body BLOB NOT NULL,
    state VARCHAR(10) NOT NULL,
    reason VARCHAR(60) NOT NULL,
    PRIMARY KEY (terminal, sequence),
    UNIQUE ("key")
);
CREATE TABLE refused (
    id INTEGER NOT NULL,
    terminal VARCHAR(80) NOT NULL,
    sequence BIGINT NOT NULL,
    "key" VARCHAR(200) NOT NULL,
    kind VARCHAR(40) NOT NULL,
    reason VARCHAR(60) NOT NULL,
    body BLOB NOT NULL,
    body_hash VARCHAR(64) NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (terminal, "key", body_hash)
);
CREATE TABLE screenings (
    terminal VARCHAR(80) NOT NULL,
    sequence BIGINT NOT NULL,
    day VARCHAR(10) NOT NULL,
    at BIGINT NOT NULL,
    substitute VARCHAR(20) NOT NULL,
    route VARCHAR(40) NOT NULL,
    waited_s INTEGER NOT NULL,
    paper_hash VARCHAR(64) NOT NULL,
    counted BOOLEAN NOT NULL,
    PRIMARY KEY (terminal, sequence)
);
CREATE INDEX ix_screenings_day ON screenings (day);
CREATE INDEX ix_screenings_paper_hash ON screenings (paper_hash);
CREATE TABLE slot_locks (
    slot_id VARCHAR(80) NOT NULL,
    PRIMARY KEY (slot_id)
);
CREATE TABLE terminals (
    name VARCHAR(80) NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    added BIGINT NOT NULL,
    revoked BOOLEAN NOT NULL,
    held_up_to BIGINT NOT NULL,
    highest BIGINT NOT NULL,
    seen BIGINT,
    version VARCHAR(60) NOT NULL,
    waiting INTEGER NOT NULL,
    troubles TEXT NOT NULL,
    clock_off_s INTEGER NOT NULL,
    PRIMARY KEY (name)
);
