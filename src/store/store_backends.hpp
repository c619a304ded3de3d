// For tests: the backends that the conformance suite runs against. A new backend adds itself here.
#pragma once

#include "os/real_disk.hpp"
#include "os/test_folder.hpp"
#include "sim/sim_disk.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "store/store_conformance.hpp"

#include <memory>

namespace drover::store::testing {

class SqliteOnSimDisk final : public Backend {
 public:
  Result<std::unique_ptr<Store>> open(Executor& executor, const Log& log,
                                      StoreLimits limits) override {
    return open_sqlite(executor, disk_, log, "/var/drover/store.db", limits);
  }

 private:
  sim::SimDisk disk_;
};

class SqliteOnRealDisk final : public Backend {
 public:
  Result<std::unique_ptr<Store>> open(Executor& executor, const Log& log,
                                      StoreLimits limits) override {
    return open_sqlite(executor, disk_, log, folder_ / "state/store.db", limits);
  }

 private:
  os::testing::TestFolder folder_;
  os::RealDisk disk_;
};

template <typename B>
std::unique_ptr<Backend> make() {
  return std::make_unique<B>();
}

inline auto every_backend() {
  return ::testing::Values(BackendFactory{"SqliteOnSimDisk", make<SqliteOnSimDisk>},
                           BackendFactory{"SqliteOnRealDisk", make<SqliteOnRealDisk>});
}

inline std::string name_of_backend(const ::testing::TestParamInfo<BackendFactory>& instance) {
  return instance.param.name;
}

}  // namespace drover::store::testing
