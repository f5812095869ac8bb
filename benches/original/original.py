"""The idea that cached-orm comes from: objects that a database and memcached both hold.

`DetachedBase` reads and writes rows by SQLAlchemy, as objects that belong to no
session. `CachedObject` keeps itself in memcached. `CachedBase` is both: reads ask
memcached first, and writes set what they wrote.

Nothing here is coherent: a reader that fills the cache may do so with what a writer
has just replaced.
"""

import pickle
import zlib
from typing import Any, ClassVar

from pymemcache.client.base import PooledClient
from sqlalchemy import Engine, inspect
from sqlalchemy.orm import DeclarativeBase, Session
from typing_extensions import Self

# A flag that memcached keeps beside a value.
COMPRESSED = 1


class Pickles:
    """Takes values apart for pymemcache; `set_cached_instance` puts them together."""

    @staticmethod
    def serialize(_key: bytes, value: bytes) -> tuple[bytes, int]:
        return value, 0

    @staticmethod
    def deserialize(_key: bytes, value: bytes, flags: int) -> Any:
        return pickle.loads(zlib.decompress(value) if flags & COMPRESSED else value)


def connect(server: str, prefix: str) -> PooledClient:
    """A client for `CachedObject.cache`, with a connection for each thread that wants one."""
    return PooledClient(server, serde=Pickles, key_prefix=prefix, no_delay=True)


class DetachedBase(DeclarativeBase):
    """Rows as objects that belong to no session: each method opens one of its own."""

    engine: ClassVar[Engine]

    @classmethod
    def session(cls) -> Session:
        """A session that leaves its objects as they are when it ends."""
        return Session(cls.engine, expire_on_commit=False)

    @classmethod
    def get(cls, *key: Any) -> Self | None:
        """The row with this primary key."""
        with cls.session() as session:
            return session.get(cls, key)

    def insert(self) -> None:
        """Adds the row."""
        self._save()

    def update(self) -> None:
        """Writes the attributes that were changed."""
        self._save()

    def refresh(self) -> None:
        """Reads the row anew."""
        with self.session() as session:
            session.add(self)
            session.refresh(self)

    def delete(self) -> None:
        """Deletes the row."""
        with self.session() as session:
            session.delete(self)
            session.commit()

    def _save(self) -> None:
        with self.session() as session:
            session.add(self)
            session.commit()


class CachedObject:
    """An object that keeps itself in memcached, pickled."""

    cache: ClassVar[PooledClient]

    def get_instance_key(self) -> tuple[Any, ...]:
        """What tells the objects of one class apart."""
        raise NotImplementedError

    @classmethod
    def get_cache_key(cls, *key: Any) -> str:
        """Where memcached has the object with this instance key."""
        return cls.__name__ + "".join(f"({part})" for part in key)

    @classmethod
    def get_cached_instance(cls, *key: Any) -> Self | None:
        """The object, if memcached has it."""
        return cls.cache.get(cls.get_cache_key(*key))

    def set_cached_instance(self, time: int = 0, min_compress_len: int = 0) -> None:
        """Puts the object into memcached for so many seconds; for ever at 0.

        It is compressed if it has more than so many bytes, and never at 0.
        """
        value, flags = pickle.dumps(self, pickle.HIGHEST_PROTOCOL), 0
        if 0 < min_compress_len < len(value):
            compressed = zlib.compress(value)
            if len(compressed) < len(value):
                value, flags = compressed, COMPRESSED
        key = self.get_cache_key(*self.get_instance_key())
        self.cache.set(key, value, expire=time, noreply=False, flags=flags)

    def delete_cached_instance(self) -> None:
        """Takes the object out of memcached."""
        self.cache.delete(self.get_cache_key(*self.get_instance_key()), noreply=False)


class CachedBase(CachedObject, DetachedBase):
    """Rows that memcached holds too."""

    __abstract__ = True

    # What `set_cached_instance` is told where a row is cached by itself.
    cache_time: ClassVar[int] = 0
    cache_min_compress_len: ClassVar[int] = 0

    def get_instance_key(self) -> tuple[Any, ...]:
        return tuple(inspect(type(self)).primary_key_from_instance(self))

    @classmethod
    def get(cls, *key: Any) -> Self | None:
        row = cls.get_cached_instance(*key)
        if row is None:
            row = super().get(*key)
            if row is not None:
                row._cache()
        return row

    def insert(self) -> None:
        super().insert()
        self._cache()

    def update(self) -> None:
        super().update()
        self._cache()

    def refresh(self) -> None:
        super().refresh()
        self._cache()

    def delete(self) -> None:
        super().delete()
        self.delete_cached_instance()

    def _cache(self) -> None:
        self.set_cached_instance(self.cache_time, self.cache_min_compress_len)
