# The rooms of the house and the arrows between them.
#
# drover_library(NAME LAYER n DEPENDS a b LINKS ext) makes a library from every .cpp of the folder it
# is called in (subfolders included, tests left out) and one test binary, NAME_test, from every
# *_test.cpp. An edge to a higher layer, to the same layer outside DROVER_SIDE_EDGES, or to a library
# that is not declared stops the configure step. tests/rooms compares the #include lines with the
# table that this file writes to build/*/rooms.txt.

# Edges allowed inside one layer, "from:to".
set(DROVER_SIDE_EDGES
  store:os net:os tree:nothing
  auth:cluster telemetry:cluster exec:cluster boot:cluster hardware:cluster alloc:cluster pool:cluster ras:cluster
  cluster:ras auth:ras telemetry:ras exec:ras boot:ras hardware:ras alloc:ras pool:ras
  hardware:auth boot:auth alloc:auth exec:auth pool:auth
  nodeboot:auth
  cli:nothing)
list(REMOVE_ITEM DROVER_SIDE_EDGES cluster:ras)

file(WRITE ${CMAKE_BINARY_DIR}/rooms.txt "")

function(drover_library NAME)
  cmake_parse_arguments(ARG "" "LAYER" "DEPENDS;LINKS;TEST_DEPENDS;TEST_LINKS" ${ARGN})
  foreach(dep IN LISTS ARG_DEPENDS)
    get_property(dep_layer GLOBAL PROPERTY DROVER_LAYER_${dep})
    if("${dep_layer}" STREQUAL "")
      message(FATAL_ERROR "room '${NAME}' depends on '${dep}', which is not declared before it")
    endif()
    if(dep_layer GREATER ARG_LAYER)
      message(FATAL_ERROR "room '${NAME}' (layer ${ARG_LAYER}) depends on '${dep}' (layer ${dep_layer}): an arrow that runs back")
    endif()
    if(dep_layer EQUAL ARG_LAYER AND NOT "${NAME}:${dep}" IN_LIST DROVER_SIDE_EDGES)
      message(FATAL_ERROR "room '${NAME}' depends on '${dep}' beside it, which DROVER_SIDE_EDGES does not allow")
    endif()
  endforeach()
  set_property(GLOBAL PROPERTY DROVER_LAYER_${NAME} ${ARG_LAYER})
  string(REPLACE ";" "," deps "${ARG_DEPENDS}")
  string(REPLACE ";" "," test_deps "${ARG_TEST_DEPENDS}")
  file(APPEND ${CMAKE_BINARY_DIR}/rooms.txt "${NAME} ${ARG_LAYER} [${deps}] [${test_deps}]\n")

  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(TRANSFORM ARG_DEPENDS PREPEND drover_ OUTPUT_VARIABLE dep_targets)
  list(TRANSFORM ARG_TEST_DEPENDS PREPEND drover_ OUTPUT_VARIABLE test_dep_targets)
  if(sources)
    add_library(drover_${NAME} STATIC ${sources})
    target_link_libraries(drover_${NAME} PUBLIC drover_flags ${dep_targets} ${ARG_LINKS})
  else()
    add_library(drover_${NAME} INTERFACE)
    target_link_libraries(drover_${NAME} INTERFACE drover_flags ${dep_targets} ${ARG_LINKS})
  endif()
  if(tests)
    # Tests of one room may use rooms above it (the simulator), so they are linked after all rooms exist.
    set_property(GLOBAL APPEND PROPERTY DROVER_TESTS "${NAME}")
    set_property(GLOBAL PROPERTY DROVER_TESTS_${NAME}_SOURCES "${tests}")
    set_property(GLOBAL PROPERTY DROVER_TESTS_${NAME}_LINKS "drover_${NAME};${test_dep_targets};${ARG_TEST_LINKS}")
  endif()
endfunction()

# Makes the test binaries that drover_library() collected. Called once, after every room.
function(drover_room_tests)
  get_property(rooms GLOBAL PROPERTY DROVER_TESTS)
  foreach(room IN LISTS rooms)
    get_property(sources GLOBAL PROPERTY DROVER_TESTS_${room}_SOURCES)
    get_property(links GLOBAL PROPERTY DROVER_TESTS_${room}_LINKS)
    add_executable(${room}_test ${sources})
    target_link_libraries(${room}_test PRIVATE ${links} GTest::gtest_main GTest::gmock)
    gtest_discover_tests(${room}_test TEST_PREFIX "${room}." DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120)
  endforeach()
endfunction()
