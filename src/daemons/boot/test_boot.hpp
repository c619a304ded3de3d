// For tests: drover-boot's place in the tree on simulated seams.
#pragma once

#include "daemons/boot/boot.hpp"
#include "daemons/sim_cluster.hpp"

#include <memory>
#include <string>

namespace drover::daemons::testing {

struct SimBoot {
  SimBoot(sim::World& world, sim::Fabric& fabric, Disk& disk, const Timing& timing,
          const std::string& name = "boot1")
      : host(world, fabric, name, disk) {
    BootConfig config;
    config.self = introduction(host, tree::Role::boot).value();
    config.masters = {net::Endpoint{"master", 9815, {}}};
    config.spool_dir = "/spool";
    config.replica_dir = "/model";
    config.timing = timing;
    config.own_settings = own_settings_of(timing);
    daemon = std::make_unique<Boot>(
        host.seams(), std::move(config), security(host, tree::Role::boot),
        [](const std::string&, net::HttpStreamEvents) { return std::unique_ptr<net::HttpCall>(); });
    daemon->start();
  }
  SimHost host;
  std::unique_ptr<Boot> daemon;
};

}  // namespace drover::daemons::testing
