/* The functions of the binding; `src/base/binding.ts` documents each. */
#ifndef RKT_BINDING_H
#define RKT_BINDING_H

#include "binding-values.h"

napi_value binding_flock(napi_env env, napi_callback_info info);
napi_value binding_sealed_memfd(napi_env env, napi_callback_info info);
napi_value binding_syncfs(napi_env env, napi_callback_info info);
napi_value binding_is_terminal(napi_env env, napi_callback_info info);
napi_value binding_unmount(napi_env env, napi_callback_info info);

napi_value binding_hold_signals(napi_env env, napi_callback_info info);
napi_value binding_exec_launcher(napi_env env, napi_callback_info info);
napi_value binding_pidfd_open(napi_env env, napi_callback_info info);
napi_value binding_pidfd_signal(napi_env env, napi_callback_info info);

napi_value binding_read_in_root(napi_env env, napi_callback_info info);
napi_value binding_stat_in_root(napi_env env, napi_callback_info info);

napi_value binding_maps_owners(napi_env env, napi_callback_info info);

napi_value binding_overlay_view(napi_env env, napi_callback_info info);

napi_value binding_layer_marks(napi_env env, napi_callback_info info);
napi_value binding_clear_layer_marks(napi_env env, napi_callback_info info);
napi_value binding_copy_attributes(napi_env env, napi_callback_info info);

napi_value binding_xattr_names(napi_env env, napi_callback_info info);
napi_value binding_xattr_value(napi_env env, napi_callback_info info);

#endif
