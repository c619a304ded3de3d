# Compiler and linker flags for our own code: warnings are errors, sanitizers by option.
option(DROVER_FUZZ "Build the fuzz targets" OFF)
set(DROVER_SANITIZE "" CACHE STRING "Comma-separated sanitizers, e.g. address,undefined or thread")

add_library(drover_flags INTERFACE)
target_compile_options(drover_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual -Werror
  -fstack-protector-strong)
target_include_directories(drover_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(drover_flags INTERFACE
  DROVER_VERSION="${PROJECT_VERSION}" BOOST_ALL_NO_LIB TOML_HEADER_ONLY=0)

if(DROVER_SANITIZE)
  add_compile_options(-fsanitize=${DROVER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${DROVER_SANITIZE})
endif()
if(DROVER_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
add_link_options(-fuse-ld=lld)

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(fmt REQUIRED)
find_package(GTest REQUIRED)
set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(PkgConfig REQUIRED)
pkg_check_modules(HWLOC REQUIRED IMPORTED_TARGET hwloc)
pkg_check_modules(TOMLPP REQUIRED IMPORTED_TARGET tomlplusplus)
# Static: of the programs only those that read YAML carry it.
find_library(LIBYAML_STATIC libyaml.a REQUIRED)
pkg_check_modules(PROTOBUF_LITE REQUIRED IMPORTED_TARGET protobuf-lite)
find_program(PROTOC protoc REQUIRED)
