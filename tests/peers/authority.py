# SPDX-License-Identifier: Apache-2.0
"""What the peers should show of tokens and of what watches processes, from the truth alone: (expected, found) by plugin."""
from forged import CANONICAL, address

NAMED_PRIVILEGES = range(2, 37)  # SeCreateTokenPrivilege to SeDelegateSessionUserImpersonatePrivilege (winnt.h)
ARRAYS = {"process": "PspCreateProcessNotifyRoutine", "thread": "PspCreateThreadNotifyRoutine",
          "image": "PspLoadImageNotifyRoutine"}
BLOCKS = "GenericKernelCallback"  # how Volatility calls the blocks that it finds in pool
# How Volatility calls what it reads of lists and finds in pool; of KeBugCheckAddRemovePagesCallbackListHead and PnpKsrNotifyList
# it shows nothing.
OBSERVERS = {"bug check": "KeBugCheckCallbackListHead", "bug check reason": "KeBugCheckReasonCallbackListHead",
             "shutdown": "IoRegisterShutdownNotification", "last shutdown": "IoRegisterShutdownNotification",
             "file system": "IoRegisterFsRegistrationChange", "debug print": "DbgSetDebugPrintCallback",
             "hardware profile": "EventCategoryHardwareProfileChange",
             "device class": "EventCategoryDeviceInterfaceChange", "target device": "EventCategoryTargetDeviceChange"}
NOT_SHOWN = {"bug check pages", "soft restart"}
SCANNED = set(OBSERVERS.values()) - {"KeBugCheckCallbackListHead", "KeBugCheckReasonCallbackListHead"}
INTEGRITY = {0: "Untrusted", 0x1000: "Low", 0x2000: "Medium", 0x2100: "Medium Plus", 0x3000: "High", 0x4000: "System",
             0x5000: "Protected"}


def with_token(forged):
    return [row for row in forged.listed() if row["token"]]


def profiles(forged):
    """The last part of the folder of each account that the registry has a profile of."""
    keys = [key for hive in forged.truth["hives"] if hive["path"].endswith("\\SOFTWARE") for key in hive["keys"]]
    return {key["path"].rsplit("\\", 1)[1]: key["values"]["ProfileImagePath"].rsplit("\\", 1)[1] for key in keys
            if "ProfileImagePath" in key["values"]}


def getsids(forged):
    """Names are compared where the registry alone has them: of SIDs of users."""
    names = profiles(forged)
    return {(row["pid"], index): (group["sid"], names.get(group["sid"]) if index == 0 and group["sid"].count("-") == 7 else None)
            for row in with_token(forged) for index, group in enumerate(row["token"]["groups"])}


def found_sids(rows):
    count, found = {}, {}
    for row in rows:
        index = count[row["PID"]] = count.get(row["PID"], -1) + 1
        is_user = index == 0 and row["SID"].count("-") == 7
        found[row["PID"], index] = (row["SID"], row["Name"] or None if is_user else None)
    return found


def hives(forged):
    return {address(row["address"]): row["file"] for row in forged.truth["hives"]}


def found_hives(rows):
    return {row["Offset"] & CANONICAL: row["FileFullPath"] for row in rows}


def masks(row, bit):
    """Whether a privilege is present, enabled and enabled by default."""
    return tuple(bool(int(row["token"][name], 16) >> bit & 1) for name in ("present", "enabled", "by_default"))


def privileges(forged):
    """Every privilege that has a name, of every process, whether the token has it or not."""
    return {(row["pid"], bit): masks(row, bit) for row in with_token(forged) for bit in NAMED_PRIVILEGES}


def found_privileges(rows):
    return {(row["PID"], row["Value"]): tuple(name in row["Attributes"].split(",") for name in
                                              ("Present", "Enabled", "Default")) for row in rows}


def observer_detail(row):
    if row["kind"].startswith("bug check"):
        return row["owner"]
    return f"\\Driver\\{row['owner']}" if row["kind"].endswith("shutdown") else None


def in_a_module(forged, routine):
    return any(address(row["base"]) <= routine < address(row["base"]) + row["size"] for row in forged.truth["modules"])


def is_past(forged, routine):
    """Whether it was registered and taken back: its block keeps its bytes until something else takes its place."""
    return not in_a_module(forged, routine) or routine in {address(row["routine"]) for row in forged.truth["past_callbacks"]}


def callback_fault(forged, key, row):
    """The known faults of Volatility's list; None: it is none of them."""
    if row and beyond_eight(forged, key):
        return "of the image routines only 8 slots are read (callbacks.py, list_notify_routines)"
    if row and key[0] in NOT_SHOWN:
        return "lists that it does not read"
    if row and key[0] == OBSERVERS["bug check reason"]:
        return "the name is read where the reason stands (callbacks-x64.json, _KBUGCHECK_REASON_CALLBACK_RECORD.Component)"
    if row is None and key[0] in SCANNED | {BLOCKS} and is_past(forged, key[1]):
        return "what was taken back still stands in freed pool"
    return None


def callbacks(forged):
    """The arrays and the list of the registry; those of object types and the tables of the kernel are not shown. The block
    behind each slot is found in pool, too, and still is when the slot was emptied. Drivers are named by their objects' names, of file systems and prints by
    nobody; whose object a notification of devices leads to is not shown, for the forge's table of types has gaps."""
    rows = {}
    for row in forged.truth["callbacks"]:
        module, routine = row["module"].rsplit(".", 1)[0], address(row["routine"])
        if row["silenced"] and row["kind"] in (*ARRAYS, "registry"):
            pass
        elif row["kind"] in ARRAYS:
            rows[ARRAYS[row["kind"]], routine] = (module, None)
        elif row["kind"] == "registry":
            rows["CmRegisterCallbackEx", routine] = (module, f"Altitude: {row['altitude']}")
        elif row["kind"] in OBSERVERS:
            rows[OBSERVERS[row["kind"]], routine] = (module, observer_detail(row))
        elif row["kind"] in NOT_SHOWN:
            rows[row["kind"], routine] = (module, row["owner"])
        if row["kind"] in (*ARRAYS, "win32", "other slot"):
            rows[BLOCKS, routine] = (module, None)
    return rows


def beyond_eight(forged, key):
    """Whether the routine stands in a slot of the image routines for which kernels before Windows 8.1 had no room."""
    slots = {address(row["routine"]): address(row["at"]) for row in forged.truth["callbacks"] if row["kind"] == "image"}
    return key[0] == ARRAYS["image"] and key[1] in slots and slots[key[1]] - min(slots.values()) >= 8 * 8


def found_callbacks(rows):
    return {(row["Type"], row["Callback"] & CANONICAL): (row["Module"], row["Detail"]) for row in rows}


PLUGINS = {"getsids": (getsids, found_sids), "registry.hivelist": (hives, found_hives), "privileges": (privileges, found_privileges),
           "callbacks": (callbacks, found_callbacks)}
