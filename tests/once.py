"""Does once for all sessions what botocore does again for each with one result.

That was two thirds of a run. Nothing is left out: the first session of a process does all of it.
"""

import copy
import gc
from pathlib import Path

import boto3
import botocore
from botocore import hooks
from botocore.handlers import BUILTIN_HANDLERS
from botocore.loaders import JSONFileLoader, Loader
from botocore.session import Session

#: What has been read, and lasts, since ``pass_over`` was called.
_READ = []


def read_data(patch):
    """Read each data file of botocore and boto3 once, and list their services once."""
    data = tuple(str(Path(one.__file__).parent / "data") for one in (boto3, botocore))
    load, files = JSONFileLoader._load_file, {}
    services_of, services = Loader.list_available_services, {}

    def load_once(self, full_path, open_method):
        if not full_path.startswith(data):
            return load(self, full_path, open_method)
        if full_path not in files:
            files[full_path] = load(self, full_path, open_method)
            _READ.append(full_path)
        return files[full_path]

    def list_once(self, type_name):
        places = (type_name, *self._potential_locations())
        if not all(one.startswith(data) for one in places[1:]):
            return services_of(self, type_name)
        if places not in services:
            services[places] = services_of(self, type_name)
        return list(services[places])

    load_data = Loader.load_data

    def load_own(self, name):
        """Let moto add its operations to a model of its own."""
        data = load_data(self, name)
        return data if self.extras_types == Loader.BUILTIN_EXTRAS_TYPES else copy.deepcopy(data)

    patch.setattr(JSONFileLoader, "_load_file", load_once)
    patch.setattr(Loader, "load_data", load_own)
    patch.setattr(Loader, "list_available_services", list_once)


def register_handlers(patch):
    """Look up the other name of each event once, and the arguments of each handler once."""
    begin, names = hooks.EventAliaser.__init__, {}
    accepts, accepting = hooks.accepts_kwargs, {}

    def begin_with_names(self, *args, **kwargs):
        begin(self, *args, **kwargs)
        if self._event_aliases == hooks.EVENT_ALIASES:
            self._alias_name_cache = names

    def inspect_once(handler):
        # The code keeps nothing alive that a handler holds.
        code = getattr(handler, "__code__", None)
        if code is None or hasattr(handler, "__wrapped__"):
            return accepts(handler)
        if code not in accepting:
            accepting[code] = accepts(handler)
        return accepting[code]

    patch.setattr(hooks.EventAliaser, "__init__", begin_with_names)
    patch.setattr(hooks, "accepts_kwargs", inspect_once)


def share_handlers(patch):
    """Let sessions and clients share the tree of botocore's own handlers until they change it."""
    append, remove = hooks._PrefixTrie.append_item, hooks._PrefixTrie.remove_item
    register, registered = Session._register_builtin_handlers, {}

    def own(self, key):
        """Copy the nodes on the way to ``key``, which other trees may have, too."""
        self._root = node = {**self._root, "children": {**self._root["children"]}}
        for part in key.split("."):
            found = node["children"].get(part)
            if found is None:
                return
            values = found["values"] and hooks.NodeList(*map(list, found["values"]))
            copied = {**found, "values": values, "children": {**found["children"]}}
            node["children"][part] = node = copied

    def append_own(self, key, *args, **kwargs):
        own(self, key)
        append(self, key, *args, **kwargs)

    def remove_own(self, key, value):
        own(self, key)
        remove(self, key, value)

    def share(self):
        tree = hooks._PrefixTrie()
        tree._root = self._root
        return tree

    def register_once(self, events):
        emitter, handlers = self._original_handler, [*BUILTIN_HANDLERS]
        is_empty = not emitter._handlers._root["children"]
        # That of aiobotocore registers others in the place of some.
        known, tree = registered.get(type(emitter), (None, None))
        if is_empty and known == handlers:
            emitter._handlers = share(tree)
            return
        register(self, events)
        if is_empty:
            registered[type(emitter)] = handlers, share(emitter._handlers)

    patch.setattr(hooks._PrefixTrie, "append_item", append_own)
    patch.setattr(hooks._PrefixTrie, "remove_item", remove_own)
    patch.setattr(hooks._PrefixTrie, "__copy__", share)
    patch.setattr(Session, "_register_builtin_handlers", register_once)


def pass_over():
    """Let the garbage collector look no more at what has been read."""
    if _READ:
        _READ.clear()
        gc.collect()
        gc.freeze()
