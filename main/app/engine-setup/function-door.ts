/**
 * C++ beside the package's addon, compiled into the same library: TensorFlow functions are added to the very context that the
 * addon's operations run in, which it keeps to itself.
 */
export const FUNCTION_DOOR = String.raw`// Written by Pairlab's "engine add".
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>
#include <node_api.h>
#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api.h"
#define private public
#include "tfjs_backend.h"
#undef private
// The package's own entry is called by the one below.
#undef NAPI_MODULE
#define NAPI_MODULE(name, init)
#include "tfjs_binding.cc"
#include "tf_auto_status.h"

namespace tfnodejs {

static bool Throw(napi_env env, const TF_AutoStatus &status) {
  if (TF_GetCode(status.status) == TF_OK) return false;
  napi_throw_error(env, nullptr, TF_Message(status.status));
  return true;
}

// addFunction(definition: Uint8Array): the bytes of a FunctionDef
static napi_value AddFunction(napi_env env, napi_callback_info info) {
  size_t count = 1, length = 0;
  napi_value argument;
  void *bytes = nullptr;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  if (napi_get_typedarray_info(env, argument, nullptr, &length, &bytes, nullptr, nullptr) != napi_ok) {
    napi_throw_type_error(env, nullptr, "addFunction takes bytes");
    return nullptr;
  }
  TF_AutoStatus status;
  TFE_ContextAddFunctionDef(GetTFJSBackend(env)->tfe_context_, static_cast<const char *>(bytes), length, status.status);
  Throw(env, status);
  return nullptr;
}

// removeFunction(name: string)
static napi_value RemoveFunction(napi_env env, napi_callback_info info) {
  size_t count = 1, length = 0;
  napi_value argument;
  char name[256];
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  if (napi_get_value_string_utf8(env, argument, name, sizeof(name), &length) != napi_ok) {
    napi_throw_type_error(env, nullptr, "removeFunction takes a name");
    return nullptr;
  }
  TF_AutoStatus status;
  TFE_ContextRemoveFunction(GetTFJSBackend(env)->tfe_context_, name, status.status);
  Throw(env, status);
  return nullptr;
}

// listOperations(): Uint8Array, an OpList
static napi_value ListOperations(napi_env env, napi_callback_info) {
  TF_Buffer *list = TF_GetAllOpList();
  napi_value result = nullptr;
  napi_create_buffer_copy(env, list->length, list->data, nullptr, &result);
  TF_DeleteBuffer(list);
  return result;
}

}  // namespace tfnodejs

NAPI_MODULE_INIT() {
  napi_value all = tfnodejs::InitTFNodeJSBinding(env, exports);
  const struct { const char *name; napi_callback call; } doors[] = {
      {"addFunction", tfnodejs::AddFunction},
      {"removeFunction", tfnodejs::RemoveFunction},
      {"listOperations", tfnodejs::ListOperations},
  };
  for (const auto &door : doors) {
    napi_value call;
    napi_create_function(env, door.name, NAPI_AUTO_LENGTH, door.call, nullptr, &call);
    napi_set_named_property(env, all, door.name, call);
  }
  return all;
}
`
