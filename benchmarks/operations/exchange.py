"""Random values, other libraries' memory, files and pickles."""

from __future__ import annotations

from .entry import Entry, methods

ENTRIES = [
    Entry("uniform", "m.uniform(0, 1, (n, n))", "random.uniform(0, 1, (n, n))", methods("uniform")),
    Entry("normal", "m.normal(0, 1, (n, n))", "random.normal(0, 1, (n, n))", methods("normal")),
    Entry(
        "integers",
        "m.integers(0, 100, (n, n))",
        "random.integers(0, 100, (n, n))",
        methods("integers"),
    ),
    Entry("permutation", "m.permutation(n)", "random.permutation(n)", methods("permutation")),
    Entry("one uniform", "m.uniform(0, 1)", "random.uniform(0, 1)", (), 2),
    Entry("asarray", "np.asarray(a)", "m.asarray(memoryview(a))", methods("__array__"), 2),
    Entry("memoryview", "memoryview(a)", "memoryview(a)", methods("__buffer__"), 2),
    Entry(
        "interface",
        "a.__array_interface__",
        "a.__array_interface__",
        methods("__array_interface__"),
        2,
    ),
    Entry(
        "dlpack", "a.__dlpack__()", "a.__dlpack__()", methods("__dlpack__", "__dlpack_device__"), 2
    ),
    Entry("from_buffer", "m.from_buffer(array)", "m.frombuffer(array)", methods("from_buffer"), 2),
    Entry("from_dlpack", "m.from_dlpack(array)", "m.from_dlpack(array)", methods("from_dlpack"), 2),
    Entry(
        "frombytes",
        "m.frombytes(doubles, (n, n))",
        "m.frombuffer(doubles).reshape(n, n).copy()",
        methods("frombytes"),
        1024,
    ),
    Entry(
        "pickle",
        "pickle.loads(pickle.dumps(a, 5))",
        "pickle.loads(pickle.dumps(a, 5))",
        methods("__reduce_ex__"),
        1024,
    ),
    Entry("save", "a.save(new_file)", "m.save(new_file, a)", methods("save"), 1024),
    Entry("load", "m.load(npy_file)", "m.load(npy_file)", methods("load"), 1024),
    Entry("savetxt", "a.savetxt(new_file)", "m.savetxt(new_file, a)", methods("savetxt"), 256),
    Entry("loadtxt", "m.loadtxt(text_file)", "m.loadtxt(text_file)", methods("loadtxt"), 256),
]
