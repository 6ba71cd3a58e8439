//! `SQLite`, by rusqlite, built in.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::store::{Get, Id, Peer, Result, Session, Store};

const GET: &str = "SELECT content FROM entity WHERE id = ?1";

pub const PEER: Peer = Peer {
    name: "SQLite",
    package: "rusqlite",
    durable: true,
    settings: "WAL, synchronous=FULL, mmap of 2 GiB, cache of 256 MiB a connection; \
               writers queue at a mutex, not at its busy handler",
    open: |path| {
        std::fs::create_dir_all(path)?;
        let path = path.join("store.db");
        connect(&path)?.execute_batch(
            "CREATE TABLE IF NOT EXISTS entity (id BLOB PRIMARY KEY, content BLOB NOT NULL)
             WITHOUT ROWID",
        )?;
        let kept = connect(&path)?;
        Ok(Box::new(Sqlite { path, kept: Mutex::new(kept), writer: Mutex::new(()) }))
    },
};

fn connect(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_mins(1))?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         PRAGMA mmap_size = 2147483648; PRAGMA cache_size = -262144;",
    )?;
    Ok(connection)
}

struct Sqlite {
    path: PathBuf,
    /// As long as one is open, the WAL stays: the last one to close would checkpoint it.
    kept: Mutex<Connection>,
    writer: Mutex<()>,
}

impl Store for Sqlite {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new((self, connect(&self.path)?)))
    }

    fn settle(&mut self) -> Result<()> {
        let kept = self.kept.get_mut().map_err(|_| "a thread panicked")?;
        Ok(kept.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    fn close(self: Box<Self>) -> Result<()> {
        let kept = self.kept.into_inner().map_err(|_| "a thread panicked")?;
        Ok(kept.close().map_err(|(_, error)| error)?)
    }
}

impl Session for (&Sqlite, Connection) {
    fn put(&mut self, entries: &[(Id, Vec<u8>)]) -> Result<()> {
        let _alone = self.0.writer.lock().map_err(|_| "a thread panicked")?;
        let txn = self.1.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut insert = txn.prepare_cached("INSERT OR REPLACE INTO entity VALUES (?1, ?2)")?;
        for (id, content) in entries {
            insert.execute((id.as_slice(), content))?;
        }
        drop(insert);
        Ok(txn.commit()?)
    }

    fn get(&mut self, id: &Id, seen: &mut dyn FnMut(&[u8])) -> Result<bool> {
        get(&self.1, id, seen)
    }

    fn reading(&mut self, work: &mut dyn FnMut(&mut Get<'_>) -> Result<()>) -> Result<()> {
        let txn = self.1.transaction()?;
        work(&mut |id, seen| get(&txn, id, seen))
    }

    fn scan(&mut self, seen: &mut dyn FnMut(&[u8], &[u8])) -> Result<()> {
        let mut scan = self.1.prepare_cached("SELECT id, content FROM entity ORDER BY id")?;
        let mut rows = scan.query([])?;
        while let Some(row) = rows.next()? {
            seen(row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_blob()?);
        }
        Ok(())
    }
}

fn get(connection: &Connection, id: &Id, seen: &mut dyn FnMut(&[u8])) -> Result<bool> {
    let mut get = connection.prepare_cached(GET)?;
    let found = get.query_row([id.as_slice()], |row| {
        seen(row.get_ref(0)?.as_blob()?);
        Ok(())
    });
    Ok(found.optional()?.is_some())
}
