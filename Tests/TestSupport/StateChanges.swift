import Postgres

extension TestDatabase {
    /// Writes down from now on which transaction changed each job's state. Wants the queue's schema.
    public func recordStateChanges() async throws {
        _ = try await database.withConnection {
            try $0.script(
                """
                CREATE TABLE changes (job_id bigint, state text, transaction xid8);
                CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    INSERT INTO changes VALUES (NEW.id, NEW.state, pg_current_xact_id()); RETURN NULL;
                END $$;
                CREATE TRIGGER note AFTER UPDATE OF state ON shufflenet.jobs FOR EACH ROW EXECUTE FUNCTION note();
                """)
        }
    }

    /// How many transactions completed a job and claimed the one with the next number.
    public func handovers() async throws -> Int {
        try await database.query(
            """
            SELECT FROM changes AS c JOIN changes AS n USING (transaction)
            WHERE c.state = 'completed' AND n.state = 'running' AND n.job_id = c.job_id + 1
            """
        ).count
    }
}
