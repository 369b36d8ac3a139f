/* build/lib/rkt/binding.node: the few system calls that Node lacks. */
#include "binding.h"

static const struct {
    const char *name;
    napi_callback function;
} functions[] = {
    {"flock", binding_flock},
    {"holdSignals", binding_hold_signals},
    {"execLauncher", binding_exec_launcher},
    {"sealedMemfd", binding_sealed_memfd},
    {"pidfdOpen", binding_pidfd_open},
    {"pidfdSignal", binding_pidfd_signal},
    {"syncfs", binding_syncfs},
    {"isTerminal", binding_is_terminal},
    {"readInRoot", binding_read_in_root},
    {"statInRoot", binding_stat_in_root},
    {"unmount", binding_unmount},
    {"mapsOwners", binding_maps_owners},
    {"overlayView", binding_overlay_view},
    {"layerMarks", binding_layer_marks},
    {"clearLayerMarks", binding_clear_layer_marks},
    {"copyAttributes", binding_copy_attributes},
    {"xattrNames", binding_xattr_names},
    {"xattrValue", binding_xattr_value},
};

NAPI_MODULE_INIT()
{
    for (size_t index = 0; index < sizeof functions / sizeof *functions; index++) {
        napi_value function;
        if (napi_create_function(env, functions[index].name, NAPI_AUTO_LENGTH, functions[index].function, NULL, &function) != napi_ok ||
            napi_set_named_property(env, exports, functions[index].name, function) != napi_ok)
            return NULL;
    }
    return exports;
}
