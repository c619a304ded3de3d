# The Debian packages, one for each role, made by `cpack -G DEB` in a build folder (`./dev package`).
# What runs when they are installed is in packaging/deb, the units in packaging/systemd.
# Packing builds nothing by itself: what is packed is what was built and tested.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)

set(DROVER_ROLES master aggregator utility compute boot)
set(packaging ${CMAKE_SOURCE_DIR}/packaging)
set(made ${CMAKE_BINARY_DIR}/packaging)

# Debian wants a changelog of its own form; what changed is told in CHANGELOG.md.
file(WRITE ${made}/changelog "drover (${PROJECT_VERSION}) unstable; urgency=medium

  * Changes are listed in CHANGELOG.md of the source.

 -- The Drover authors <maintainers@drover.invalid>  Sat, 21 Nov 2026 12:00:00 +0000
")
execute_process(COMMAND gzip -9nc ${made}/changelog OUTPUT_FILE ${made}/changelog.gz
                COMMAND_ERROR_IS_FATAL ANY)
file(READ ${packaging}/systemd/hardening.conf HARDENING)
string(STRIP "${HARDENING}" HARDENING)

foreach(role ${DROVER_ROLES})
  set(DROVER_ROLE ${role})
  set(DROVER_PACKAGE drover-${role})
  set(DROVER_UNIT drover-${role}.service)
  set(DROVER_STATE /var/lib/drover/${role})
  configure_file(${packaging}/systemd/drover-${role}.service ${made}/drover-${role}.service @ONLY)
  foreach(script postinst prerm postrm)
    configure_file(${packaging}/deb/${script}.in ${made}/${role}/${script} @ONLY
                   FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
                                    WORLD_READ WORLD_EXECUTE)
  endforeach()
  install(TARGETS drover-${role} DESTINATION sbin COMPONENT ${role})
  install(FILES ${made}/drover-${role}.service DESTINATION lib/systemd/system COMPONENT ${role})
  install(FILES ${packaging}/deb/copyright ${made}/changelog.gz DESTINATION share/doc/drover-${role}
          COMPONENT ${role})
  install(CODE "
    execute_process(COMMAND \"$<TARGET_FILE:drover-${role}>\" --man COMMAND gzip -9nc
                    OUTPUT_FILE \"${made}/drover-${role}.8.gz\" COMMAND_ERROR_IS_FATAL ANY)"
          COMPONENT ${role})
  install(FILES ${made}/drover-${role}.8.gz DESTINATION share/man/man8 COMPONENT ${role})
  string(TOUPPER ${role} ROLE)
  set(CPACK_DEBIAN_${ROLE}_PACKAGE_NAME drover-${role})
  set(CPACK_DEBIAN_${ROLE}_PACKAGE_DEPENDS
      "drover-common (= ${PROJECT_VERSION}), drover (= ${PROJECT_VERSION})")
  set(CPACK_DEBIAN_${ROLE}_PACKAGE_CONTROL_EXTRA
      "${made}/${role}/postinst;${made}/${role}/prerm;${made}/${role}/postrm")
endforeach()

set(CPACK_COMPONENT_MASTER_DESCRIPTION "Drover's master: database, API, decisions
The cluster's authority: opens the database, serves the HTTPS API, decides which
aggregators serve which nodes.")
set(CPACK_DEBIAN_MASTER_PACKAGE_RECOMMENDS "ipmitool, openssh-client")  # BMCs without Redfish, consoles
set(CPACK_COMPONENT_AGGREGATOR_DESCRIPTION "Drover's aggregator for a service node
Holds the links of compute nodes: liveness, fan-out and folding of calls, spooling.")
set(CPACK_COMPONENT_UTILITY_DESCRIPTION "Drover's agent for login and launch nodes
Serves the API on a local socket and reports the host's inventory and metrics.")
set(CPACK_COMPONENT_BOOT_DESCRIPTION "Drover's boot server
Boots nodes over the network: DHCP, TFTP, HTTP, boot scripts, enrolment.")
set(CPACK_COMPONENT_COMPUTE_DESCRIPTION "Drover's agent for compute nodes
Inventory, heartbeat, metrics and execution on a node.")

# The command line, with its completion and manual made by the program itself.
install(TARGETS drover DESTINATION bin COMPONENT cli)
install(CODE "
  file(REMOVE_RECURSE \"${made}/man\")
  file(MAKE_DIRECTORY \"${made}/completions\" \"${made}/man\")
  foreach(shell bash zsh fish)
    execute_process(COMMAND \"$<TARGET_FILE:drover>\" completion \${shell}
                    OUTPUT_FILE \"${made}/completions/\${shell}\" COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
  execute_process(COMMAND \"$<TARGET_FILE:drover>\" man --dir \"${made}/man\" COMMAND_ERROR_IS_FATAL ANY)
  file(GLOB pages \"${made}/man/*.1\")
  execute_process(COMMAND gzip -9n \${pages} COMMAND_ERROR_IS_FATAL ANY)" COMPONENT cli)
install(DIRECTORY ${made}/man/ DESTINATION share/man/man1 COMPONENT cli FILES_MATCHING PATTERN *.gz)
install(FILES ${made}/completions/bash RENAME drover COMPONENT cli
        DESTINATION share/bash-completion/completions)
install(FILES ${made}/completions/zsh RENAME _drover COMPONENT cli
        DESTINATION share/zsh/vendor-completions)
install(FILES ${made}/completions/fish RENAME drover.fish COMPONENT cli
        DESTINATION share/fish/vendor_completions.d)
install(FILES ${CMAKE_SOURCE_DIR}/demo/lab.sh DESTINATION share/drover COMPONENT cli)
install(TARGETS drover-sim DESTINATION lib/drover COMPONENT cli)  # the laboratory's BMCs
install(FILES ${packaging}/deb/copyright ${made}/changelog.gz DESTINATION share/doc/drover COMPONENT cli)
set(CPACK_DEBIAN_CLI_PACKAGE_NAME drover)
set(CPACK_COMPONENT_CLI_DESCRIPTION "command line of the Drover cluster manager
Shows, defines, commands and watches the nodes of a cluster.")

# What all roles share: the user, the folders.
install(FILES ${packaging}/deb/sysusers.conf RENAME drover.conf DESTINATION lib/sysusers.d
        COMPONENT common)
install(FILES ${packaging}/deb/tmpfiles.conf RENAME drover.conf DESTINATION lib/tmpfiles.d
        COMPONENT common)
install(FILES ${packaging}/deb/sysctl.conf RENAME 50-drover.conf DESTINATION lib/sysctl.d
        COMPONENT common)
install(FILES ${packaging}/deb/copyright ${made}/changelog.gz DESTINATION share/doc/drover-common COMPONENT common)
set(CPACK_DEBIAN_COMMON_PACKAGE_NAME drover-common)
set(CPACK_DEBIAN_COMMON_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_COMMON_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers, systemd | systemd-standalone-tmpfiles")
set(CPACK_DEBIAN_COMMON_PACKAGE_CONTROL_EXTRA ${made}/common/postinst)
set(CPACK_COMPONENT_COMMON_DESCRIPTION "user and folders of the Drover cluster manager
What the daemons of every role share.")
configure_file(${packaging}/deb/common-postinst ${made}/common/postinst COPYONLY)

# /etc/drover/master.toml is a conffile: an administrator's changes outlive upgrades.
install(FILES ${packaging}/deb/master.toml DESTINATION /etc/drover COMPONENT master)
file(WRITE ${made}/master/conffiles "/etc/drover/master.toml\n")
list(APPEND CPACK_DEBIAN_MASTER_PACKAGE_CONTROL_EXTRA ${made}/master/conffiles)

# libnss_drover, for every program of a host with a master or a boot daemon.
install(FILES $<TARGET_FILE:nss_drover> DESTINATION lib/${CMAKE_LIBRARY_ARCHITECTURE} COMPONENT nss)
install(FILES ${packaging}/deb/copyright ${made}/changelog.gz DESTINATION share/doc/libnss-drover COMPONENT nss)
set(CPACK_DEBIAN_NSS_PACKAGE_NAME libnss-drover)
set(CPACK_DEBIAN_NSS_PACKAGE_SECTION libs)
foreach(script postinst prerm)
  configure_file(${packaging}/deb/nss-${script} ${made}/nss/${script} COPYONLY)
endforeach()
set(CPACK_DEBIAN_NSS_PACKAGE_CONTROL_EXTRA "${made}/nss/postinst;${made}/nss/prerm")
set(CPACK_COMPONENT_NSS_DESCRIPTION "nodes of a Drover cluster as hosts, without files
A module of the C library's name service: every program of a manager finds the
nodes by name, also while Drover's daemons are away.")
foreach(role MASTER BOOT)
  string(APPEND CPACK_DEBIAN_${role}_PACKAGE_DEPENDS ", libnss-drover (= ${PROJECT_VERSION})")
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME drover)
set(CPACK_PACKAGE_VENDOR "The Drover authors")
set(CPACK_PACKAGE_CONTACT "The Drover authors <maintainers@drover.invalid>")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_COMPONENTS_ALL cli common nss ${DROVER_ROLES})
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_THREADS 2)
include(CPack)
