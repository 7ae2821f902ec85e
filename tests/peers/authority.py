# SPDX-License-Identifier: Apache-2.0
"""What the peers should show of tokens and of what watches processes, from the truth alone: (expected, found) by plugin."""
from forged import CANONICAL, address

NAMED_PRIVILEGES = range(2, 37)  # SeCreateTokenPrivilege to SeDelegateSessionUserImpersonatePrivilege (winnt.h)
ARRAYS = {"process": "PspCreateProcessNotifyRoutine", "thread": "PspCreateThreadNotifyRoutine",
          "image": "PspLoadImageNotifyRoutine"}
BLOCKS = "GenericKernelCallback"  # how Volatility calls the blocks that it finds in pool
INTEGRITY = {0: "Untrusted", 0x1000: "Low", 0x2000: "Medium", 0x2100: "Medium Plus", 0x3000: "High", 0x4000: "System",
             0x5000: "Protected"}


def with_token(forged):
    return [row for row in forged.listed() if row["token"]]


def getsids(forged):
    return {(row["pid"], index): group["sid"] for row in with_token(forged)
            for index, group in enumerate(row["token"]["groups"])}


def found_sids(rows):
    count, found = {}, {}
    for row in rows:
        index = count[row["PID"]] = count.get(row["PID"], -1) + 1
        found[row["PID"], index] = row["SID"]
    return found


def masks(row, bit):
    """Whether a privilege is present, enabled and enabled by default."""
    return tuple(bool(int(row["token"][name], 16) >> bit & 1) for name in ("present", "enabled", "by_default"))


def privileges(forged):
    """Every privilege that has a name, of every process, whether the token has it or not."""
    return {(row["pid"], bit): masks(row, bit) for row in with_token(forged) for bit in NAMED_PRIVILEGES}


def found_privileges(rows):
    return {(row["PID"], row["Value"]): tuple(name in row["Attributes"].split(",") for name in
                                              ("Present", "Enabled", "Default")) for row in rows}


def callbacks(forged):
    """The arrays and the list of the registry; those of object types and the tables of the kernel are not shown. The block
    behind each slot of an array is found in pool, too."""
    rows = {}
    for row in forged.truth["callbacks"]:
        module, routine = row["module"].rsplit(".", 1)[0], address(row["routine"])
        if row["kind"] in ARRAYS:
            rows[ARRAYS[row["kind"]], routine] = (module, None)
        elif row["kind"] == "registry":
            rows["CmRegisterCallbackEx", routine] = (module, f"Altitude: {row['altitude']}")
        if row["kind"] in ARRAYS or row["kind"] == "win32":
            rows[BLOCKS, routine] = (module, None)
    return rows


def beyond_eight(forged, key):
    """Whether the routine stands in a slot of the image routines for which kernels before Windows 8.1 had no room."""
    slots = {address(row["routine"]): address(row["at"]) for row in forged.truth["callbacks"] if row["kind"] == "image"}
    return key[0] == ARRAYS["image"] and key[1] in slots and slots[key[1]] - min(slots.values()) >= 8 * 8


def found_callbacks(rows):
    return {(row["Type"], row["Callback"] & CANONICAL): (row["Module"], row["Detail"]) for row in rows}


PLUGINS = {"getsids": (getsids, found_sids), "privileges": (privileges, found_privileges),
           "callbacks": (callbacks, found_callbacks)}
