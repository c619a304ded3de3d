// What nodes are given, changed inside a store mutation: cloud-init, steps and files of an owner.
#pragma once

#include "base/result.hpp"
#include "cluster/content/cloud_init.hpp"
#include "cluster/content/node_steps.hpp"
#include "cluster/content/overlay.hpp"
#include "store/store.hpp"

#include <string>
#include <string_view>

namespace drover::cluster {

/// Creates or replaces. invalid_argument when a rule is broken, not_found when there is no such
/// owner. Of cloud-init the names of secrets stay as they are: only set_secret() changes them.
Status put_content(store::Transaction& tx, CloudInit definition);
Status put_content(store::Transaction& tx, StepList list);
Status put_content(store::Transaction& tx, Overlay overlay);

/// With the secrets, of cloud-init. `kind` is one of the three; false when there is none.
Result<bool> erase_content(store::Transaction& tx, std::string_view kind, const std::string& owner);

/// What `from` owns becomes `to`'s; with `to` empty it goes.
Status move_content(store::Transaction& tx, const std::string& from, const std::string& to);

/// Keeps a secret of the owner's cloud-init, sealed by the caller; makes the definition when there
/// is none.
Status set_secret(store::Transaction& tx, const std::string& owner, const std::string& secret,
                  const std::string& sealed);
/// not_found when there is none.
Status unset_secret(store::Transaction& tx, const std::string& owner, const std::string& secret);
/// As it was sealed; not_found.
Result<std::string> read_secret(store::Transaction& tx, const std::string& owner,
                                const std::string& secret);

}  // namespace drover::cluster
