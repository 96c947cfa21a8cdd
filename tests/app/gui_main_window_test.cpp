// The window as a user meets it: real mouse and key events on the sample model.
#include <QComboBox>
#include <QDockWidget>
#include <QFileInfo>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QSpinBox>
#include <QThread>
#include <QTreeWidget>
#include <atomic>

#include "tests/app/odd_models.h"
#include "tests/app/window_test.h"
#include "views/models/display_text.h"
#include "views/models/problem_table_model.h"
#include "views/models/run_shapes.h"
#include "views/models/settings_text.h"
#include "views/pages/inspector/inspector_page.h"
#include "views/pages/session/session_page.h"
#include "views/pages/start/start_page.h"
#include "views/widgets/command_palette.h"
#include "views/widgets/filter_bar.h"
#include "views/widgets/key_value_view.h"
#include "views/widgets/segmented_control.h"
#include "views/widgets/table_view.h"

using namespace strobe;
using strobe::testing::EventWatch;
using strobe::testing::WindowUser;

class MainWindowTest : public strobe::testing::WindowTest {
    Q_OBJECT

private slots:
    void sampleOpensByTheStartPageAndShowsItsGraph() {
        show();
        auto* sample = window().startPage().findChild<QPushButton*>("openSample");
        QTest::mouseClick(sample, Qt::LeftButton);
        QVERIFY(QTest::qWaitFor([&] { return canvas().scene() != nullptr; }, 10000));
        QCOMPARE(canvas().scene()->nodes.size(), size_t{77});  // 75 nodes, one input, one output
        QVERIFY(window().windowTitle().startsWith("digits.onnx"));
        QVERIFY(canvas().isVisible());
    }

    void buildShowsLayersAndKeepsTheWindowResponsive() {
        show();
        openSample();
        EventWatch watch;
        key(Qt::Key_B, Qt::ControlModifier);
        QVERIFY(m_fixture->waitForJobs());
        QVERIFY(QTest::qWaitFor([&] { return context().currentBuild() != nullptr; }));
        waitForStage(GraphStage::Engine);
        QVERIFY2(watch.worstMs() <= 100, qPrintable(QString("an event waited %1 ms").arg(watch.worstMs())));
        QVERIFY(context().currentBuild()->profile != nullptr);
        QCOMPARE(window().graphPage().colour(), GraphColour::Time);
        auto& tree = static_cast<SessionPage*>(window().docks().page("sessionPage"))->tree();
        QCOMPARE(tree.topLevelItemCount(), 2);
        QVERIFY(tree.topLevelItem(1)->text(0).contains("FP32"));
    }

    void aBuildTakesWhatIsBeingTyped() {
        show();
        openSample();
        key(Qt::Key_2, Qt::ControlModifier);
        auto* page = window().docks().page("settingsPage");
        auto* limit = page->findChild<QDoubleSpinBox*>("accuracyLimit");
        auto* file = page->findChild<QLineEdit*>("inputFile");
        Settings settings = m_fixture->session().settings();
        settings.builder.precision = PrecisionMode::Fp16;
        settings.builder.optimizationLevel = 0;
        m_fixture->session().setSettings(settings, "FP16");
        limit->setFocus();
        limit->selectAll();
        QTest::keyClicks(limit, "50");
        key(Qt::Key_B, Qt::ControlModifier);
        QVERIFY(m_fixture->waitForJobs());
        QVERIFY(QTest::qWaitFor([&] { return context().currentBuild() != nullptr; }));
        QCOMPARE(context().currentBuild()->settings.accuracyLimit, 0.5);
        QVERIFY(toQString(context().currentBuild()->name).startsWith("FP16 within 50 %"));
        QVERIFY(limit->hasFocus());
        // A file that is not there fails the build: the one before it would have answered another question.
        file->setFocus();
        QTest::keyClicks(file, "/no/such.npz");
        key(Qt::Key_B, Qt::ControlModifier);
        QVERIFY(m_fixture->waitForJobs());
        QCOMPARE(m_fixture->session().builds().size(), size_t{1});
    }

    void clickedEngineLayerIsInspectedAndFramesItsNodes() {
        show();
        openSample();
        buildQuickly();
        waitForStage(GraphStage::Engine);
        const auto index = context().index();
        LayerRef fused;
        for (const GraphNode& node : canvas().scene()->nodes)
            if (node.title == "Conv + Relu" && canvas().rect().contains(canvas().nodeRect(node.id).center().toPoint())) {
                fused = {GraphStage::Engine, context().currentBuild()->id, static_cast<int>(node.id)};
                break;
            }
        QTest::mouseClick(&canvas(), Qt::LeftButton, Qt::NoModifier, canvas().nodeRect(fused.index).center().toPoint());
        QCOMPARE(context().selection().layer, std::optional<LayerRef>(fused));
        auto& inspector = *static_cast<InspectorPage*>(window().docks().page("inspectorPage"));
        const QString text = inspector.details().plainText();
        QVERIFY2(text.contains("tactic") && text.contains("Tactics weighed"), qPrintable(text));
        key(Qt::Key_P);
        waitForStage(GraphStage::Parsed);
        QCOMPARE(canvas().selection().size(), index->counterparts(fused, GraphStage::Parsed).size());
        QVERIFY(canvas().selection().size() >= 2);
        key(Qt::Key_E);
        waitForStage(GraphStage::Engine);
        QCOMPARE(canvas().selection(), GraphCanvas::Ids{fused.index});
    }

    void selectionGoesBackAndForwardByKeys() {
        show();
        openSample();
        GraphCanvas::Ids clicked;
        for (const GraphNode& node : canvas().scene()->nodes) {
            if (clicked.size() == 2 || !WindowUser::isOnScreen(canvas(), node.id)) continue;
            clicked.push_back(node.id);
            WindowUser(window()).clickNode(canvas(), node.id);
        }
        QCOMPARE(clicked.size(), size_t{2});
        QCOMPARE(canvas().selection(), GraphCanvas::Ids{clicked[1]});
        const Selection second = context().selection();
        key(Qt::Key_Left, Qt::AltModifier);
        QCOMPARE(canvas().selection(), GraphCanvas::Ids{clicked[0]});
        QVERIFY(!context().selection().sameThings(second));
        key(Qt::Key_Right, Qt::AltModifier);
        QCOMPARE(canvas().selection(), GraphCanvas::Ids{clicked[1]});
        QVERIFY(context().selection().sameThings(second));
        key(Qt::Key_Escape);
        QVERIFY(context().selection().isEmpty());
    }

    void searchStepsThroughHits() {
        show();
        openSample();
        key(Qt::Key_F, Qt::ControlModifier);
        auto& edit = window().graphPage().searchBar().edit();
        QTRY_VERIFY(edit.hasFocus());
        QTest::keyClicks(&edit, "op:MaxPool");
        QTest::keyClick(&edit, Qt::Key_Return);  // searches at once
        QTest::keyClick(&edit, Qt::Key_Return);  // first hit
        QCOMPARE(canvas().currentSearchHit(), 0);
        QCOMPARE(context().selection().nodes.size(), size_t{1});
        QTest::keyClick(&edit, Qt::Key_Escape);
        QCOMPARE(edit.text(), QString());
    }

    void precisionIsChosenUndoneAndRedone() {
        show();
        openSample();
        auto* precisions = window().findChild<SegmentedControl*>("precisions");
        precisions->setFocus();
        QTest::keyClick(precisions, Qt::Key_Right);
        QCOMPARE(m_fixture->session().settings().builder.precision, PrecisionMode::Bf16);
        QTRY_VERIFY(window().actions()["undo"].isEnabled());
        QTRY_VERIFY(window().isWindowModified());
        key(Qt::Key_Z, Qt::ControlModifier);
        QTRY_COMPARE(precisions->current(), 0);
        key(Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
        QTRY_COMPARE(precisions->current(), 1);
    }

    void forcedPrecisionBecomesARule() {
        selectALayer();
        WindowUser user(window());
        user.whenMenuChoose("Force BF16");
        user.click(inspectorButton("forcePrecision"));
        const auto rules = m_fixture->session().settings().builder.precisionRules;
        QCOMPARE(rules.size(), size_t{1});
        QCOMPARE(rules.front().pattern, selectedLayer().name);
        QCOMPARE(rules.front().type, DataType::BFloat16);
        QVERIFY(toQString(m_fixture->session().undoLabel()).startsWith("precision of"));
    }

    void tacticsArePinnedAndBannedByMenu() {
        selectALayer();
        WindowUser user(window());
        const auto builder = [&] { return m_fixture->session().settings().builder; };
        const LayerRef ref = *context().selection().layer;
        const std::string layer = selectedLayer().name;
        std::string other;  // neither what was chosen nor declined
        for (const CandidateRecord& record : context().index()->engineLayer(ref)->candidates)
            if (record.declined.empty() && !record.chosen && record.tactic != context().index()->engineLayer(ref)->tactic) other = record.tactic;
        QVERIFY(!other.empty());
        user.whenMenuChoose(toQString(other));
        user.click(inspectorButton("pinTactic"));
        QCOMPARE(builder().pinnedTactics.at(layer), other);
        key(Qt::Key_B, Qt::ControlModifier);
        QVERIFY(m_fixture->waitForJobs());
        bool ran = false;
        const CompiledGraph& graph = context().currentBuild()->engine->graph();
        for (const EngineLayer& each : graph.layers) ran = ran || (graph.network.layer(each.layer).name == layer && each.tactic == other);
        QVERIFY(ran);
        selectALayerNamed(layer);
        user.whenMenuChoose(toQString(other));
        user.click(inspectorButton("pinTactic"));  // again: no longer
        QVERIFY(builder().pinnedTactics.empty());
        user.whenMenuChoose(toQString(other));
        user.click(inspectorButton("banTactic"));
        QCOMPARE(builder().bannedTactics, std::set<std::string>{other});
        user.whenMenuChoose(toQString(other));
        user.click(inspectorButton("banTactic"));
        QVERIFY(builder().bannedTactics.empty());
    }

    void paletteRunsWhatIsTyped() {
        show();
        openSample();
        WindowUser user(window());
        user.press(Qt::Key_F, Qt::ControlModifier);  // text fields leave Ctrl+K to the window
        QTRY_VERIFY(window().graphPage().searchBar().edit().hasFocus());
        user.press(Qt::Key_K, Qt::ControlModifier);
        auto* palette = window().findChild<CommandPalette*>();
        QTRY_VERIFY(palette->isVisible());
        user.type("prec bf16");
        user.press(Qt::Key_Return);
        QVERIFY(!palette->isVisible());
        QCOMPARE(m_fixture->session().settings().builder.precision, PrecisionMode::Bf16);
        user.press(Qt::Key_K, Qt::ControlModifier);
        QTRY_VERIFY(palette->isVisible());
        user.press(Qt::Key_Escape);
        QVERIFY(!palette->isVisible());
        QCOMPARE(m_fixture->session().settings().builder.precision, PrecisionMode::Bf16);
    }

    void selectionStaysWhenABuildArrivesAndWhenBuildsAreCompared() {
        selectALayer();
        const std::string name = selectedLayer().name;
        const auto nodes = context().selection().nodes;
        window().actions()["precisionBF16"].trigger();
        key(Qt::Key_B, Qt::ControlModifier);
        QVERIFY(m_fixture->waitForJobs());
        QTRY_COMPARE(context().currentBuild()->settings.builder.precision, PrecisionMode::Bf16);
        waitForStage(GraphStage::Engine);
        QCOMPARE(selectedLayer().name, name);
        QCOMPARE(context().selection().nodes, nodes);
        window().actions()["compare"].trigger();
        QVERIFY(m_fixture->waitForJobs());
        QTRY_VERIFY(context().currentComparison() != nullptr);
        for (const char* page : {"comparePage", "layersPage", "problemsPage", "comparePage"}) {
            window().docks().show(page, true);
            QTest::qWait(50);
        }
        QCOMPARE(selectedLayer().name, name);
        QCOMPARE(context().selection().nodes, nodes);
        QTRY_COMPARE(canvas().selection(), GraphCanvas::Ids{context().selection().layer->index});
    }

    void cancelEndsABuildQuickly() {
        show();
        openSample();
        Settings settings = m_fixture->session().settings();
        settings.builder.optimizationLevel = 5;
        m_fixture->session().setSettings(settings, "test");
        key(Qt::Key_B, Qt::ControlModifier);
        QVERIFY(QTest::qWaitFor([&] { return !m_fixture->session().jobs().isIdle(); }));
        QTest::qWait(300);
        auto* cancel = window().findChild<QWidget*>("jobProgress")->findChild<QPushButton*>();
        QElapsedTimer clock;
        clock.start();
        QTest::mouseClick(cancel, Qt::LeftButton);
        QVERIFY(m_fixture->waitForJobs(5000));
        QVERIFY2(clock.elapsed() <= 200, qPrintable(QString::number(clock.elapsed())));
        QVERIFY(context().currentBuild() == nullptr);
    }

    void escapeCancelsFirstWhereverTheFocusIs_data() {
        QTest::addColumn<QString>("focus");
        QTest::newRow("canvas, with a selection") << QString();
        QTest::newRow("a settings field") << QStringLiteral("inputFile");
        QTest::newRow("the search") << QStringLiteral("graphSearch");
    }
    void escapeCancelsFirstWhereverTheFocusIs() {
        QFETCH(const QString, focus);
        show();
        openSample();
        context().selectNodes({3}, "test");
        beginLongBuild();
        WindowUser user(window());
        QWidget* field = &canvas();
        if (focus == QLatin1String("inputFile")) field = window().findChild<QLineEdit*>("inputFile");
        if (focus == QLatin1String("graphSearch")) field = &window().graphPage().searchBar().edit();
        field->setFocus();
        QTRY_VERIFY(field->hasFocus());
        user.press(Qt::Key_Escape);
        QVERIFY(m_fixture->waitForJobs(5000));
        QVERIFY(context().currentBuild() == nullptr);
        QTRY_VERIFY2(note().contains("cancelled"), qPrintable(note()));
        QVERIFY(!context().selection().isEmpty());
        canvas().setFocus();
        QTRY_VERIFY(!window().actions()["cancel"].isEnabled());
        user.press(Qt::Key_Escape);
        QVERIFY(context().selection().isEmpty());
    }

    void theSameBuildIsNotAskedForTwice() {
        show();
        openSample();
        beginLongBuild();
        key(Qt::Key_B, Qt::ControlModifier);
        QVERIFY2(note().contains("running already"), qPrintable(note()));
        QCOMPARE(m_fixture->session().jobs().jobs().size(), size_t{2});  // opening, and one build
        window().actions()["precisionBF16"].trigger();
        key(Qt::Key_B, Qt::ControlModifier);
        key(Qt::Key_B, Qt::ControlModifier);
        QVERIFY2(note().contains("waiting already"), qPrintable(note()));
        QCOMPARE(m_fixture->session().jobs().jobs().size(), size_t{3});
        key(Qt::Key_Escape);
        key(Qt::Key_B, Qt::ControlModifier);  // what was cancelled may be asked for again
        QCOMPARE(m_fixture->session().jobs().jobs().size(), size_t{4});
        key(Qt::Key_Escape);
        QVERIFY(m_fixture->waitForJobs(5000));
    }

    void paletteFindsSettingsAndSaysWhenThereIsNothing() {
        show();
        openSample();
        WindowUser user(window());
        user.press(Qt::Key_K, Qt::ControlModifier);
        auto* palette = window().findChild<CommandPalette*>();
        QTRY_VERIFY(palette->isVisible());
        user.type("zzzz");
        const auto* list = palette->findChild<QListWidget*>();
        QCOMPARE(list->count(), 1);
        QVERIFY2(list->item(0)->text().contains("No command matches"), qPrintable(list->item(0)->text()));
        user.press(Qt::Key_Return);
        QVERIFY(palette->isVisible());
        user.replaceText("input data");
        user.press(Qt::Key_Return);
        QVERIFY(!palette->isVisible());
        auto* field = window().findChild<QLineEdit*>("inputFile");
        QTRY_VERIFY(field->hasFocus());
        QVERIFY(!field->visibleRegion().isEmpty());
    }

    void undoSaysWhatAndShowsWhere() {
        show();
        openSample();
        Settings settings = m_fixture->session().settings();
        settings.seed = 7;
        m_fixture->session().setSettings(settings, "Seed");
        auto* seed = window().findChild<QSpinBox*>("seed");
        QTRY_COMPARE(seed->value(), 7);
        QVERIFY(seed->visibleRegion().isEmpty());  // further down
        key(Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(note(), "Undone: seed");
        QTRY_VERIFY(!seed->visibleRegion().isEmpty());
        key(Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
        QCOMPARE(note(), "Redone: seed");
    }

    void windowFitsTheScreenAtFirst() {
        const QSize room = window().screen()->availableSize();
        window().show();
        QVERIFY(QTest::qWaitForWindowActive(&window()));
        QTRY_VERIFY(window().frameGeometry().height() <= room.height() &&
                    window().frameGeometry().width() <= room.width());
    }

    void problemsFollowTheSelection() {
        show();
        const QString path = m_fixture->path("problem.onnx");
        QVERIFY(testing::writeProblemModel(path.toStdString()));
        window().openPath(path);
        QVERIFY(QTest::qWaitFor([&] { return context().model() && canvas().scene(); }, 10000));
        auto* table = window().docks().page("problemsPage")->findChild<TableView*>();
        const auto chosen = [&] {
            return table->selectionModel()->selectedRows(ProblemTableModel::Message).value(0).data().toString();
        };
        QCOMPARE(table->model()->rowCount(), 2);
        context().selectNodes({1}, "test");
        QVERIFY2(chosen().startsWith("Op 'DeformableAttention' of domain 'com.example' is not"), qPrintable(chosen()));
        context().selectNodes({0}, "test");  // nothing is wrong with that one
        QCOMPARE(chosen(), QString());
    }

    void aProblemOfAnotherBuildStaysChosenWhenItIsClicked() {
        show();
        openSample();
        Session& session = m_fixture->session();
        Settings settings = session.settings();
        settings.builder.bannedTactics = {"simd.softmax", "onednn.softmax"};  // it falls to the reference kernel
        session.setSettings(settings, "test");
        buildQuickly();
        settings = session.settings();
        settings.builder.precision = PrecisionMode::Bf16;
        session.setSettings(settings, "test");
        QVERIFY(session.buildNow(false, {}).hasValue());
        QTRY_COMPARE(context().currentBuild()->name, std::string("BF16"));
        context().selectNodes({0}, "test");
        window().docks().show("problemsPage", false);
        auto* table = window().docks().page("problemsPage")->findChild<TableView*>();
        const QAbstractItemModel& rows = *table->model();
        int row = -1;
        for (int at = 0; at < rows.rowCount(); ++at)
            if (rows.index(at, ProblemTableModel::Source).data() == "build FP32" &&
                rows.index(at, ProblemTableModel::Where).data() != "whole model")
                row = at;
        QVERIFY(row >= 0);
        WindowUser(window()).clickAt(*table->viewport(), table->visualRect(rows.index(row, 0)).center());
        QCOMPARE(context().currentBuild()->name, std::string("FP32"));
        QCOMPARE(table->selectionModel()->selectedRows().value(0).row(), row);
    }

    void escapeLeavesASaveThatWaits() {
        show();
        openSample();
        beginLongBuild();
        const QString path = m_fixture->path("kept.strobe");
        m_fixture->session().saveAs(path.toStdString());
        key(Qt::Key_Escape);
        QVERIFY(m_fixture->waitForJobs(10000));
        QVERIFY(QFileInfo::exists(path));
        QVERIFY(m_fixture->session().builds().empty());
    }

    void docksGetTheirRoomBack() {
        show();
        const auto* inspector = window().findChild<QDockWidget*>("inspectorPageDock");
        QTest::qWait(50);
        const int before = inspector->width();
        window().resize(970, 600);
        QTRY_VERIFY(inspector->width() < before);
        QTest::qWait(50);
        window().resize(1400, 900);
        QTRY_COMPARE(inspector->width(), before);
    }

    void sessionShowsAllRowsOfAFewBuilds() {
        show();
        openSample();
        buildQuickly();
        window().actions()["precisionBF16"].trigger();
        buildQuickly();
        buildQuickly();
        window().actions()["compare"].trigger();
        QVERIFY(m_fixture->waitForJobs());
        auto& tree = static_cast<SessionPage*>(window().docks().page("sessionPage"))->tree();
        QTRY_COMPARE(tree.topLevelItemCount(), 5);
        const auto isWhole = [&] {
            return tree.viewport()->rect().contains(tree.visualItemRect(tree.topLevelItem(4)));
        };
        window().resize(1280, 720);
        QTRY_VERIFY(isWhole());
    }

    void errorsStayUntilWhatFailedSucceeds() {
        show();
        openSample();
        JobQueue& jobs = m_fixture->session().jobs();
        const auto isHeld = std::make_shared<std::atomic<bool>>(true);
        const auto begin = [&](const char* title, JobKind kind, bool fails) {
            return jobs.submit(kind, title, [fails, isHeld](JobContext& job) {
                while (*isHeld && !job.cancelToken().isCancelled()) QThread::msleep(1);
                return fails ? invalidArgument("no room") : Status::ok();
            });
        };
        const auto shown = [&] {
            *isHeld = false;
            if (!m_fixture->waitForJobs()) return QString("still busy");
            QTest::qWait(50);
            *isHeld = true;
            return window().errorShown();
        };
        // Cancelled before what began earlier fails.
        begin("Build FP32", JobKind::Build, true);
        jobs.cancel(begin("Compare", JobKind::Compare, false));
        QTest::qWait(50);
        QCOMPARE(shown(), QString("Build FP32 failed: no room"));
        // Another kind's success, before and after, wipes nothing away.
        begin("Save", JobKind::Save, false);
        QCOMPARE(shown(), QString("Build FP32 failed: no room"));
        begin("Build BF16", JobKind::Build, false);
        QCOMPARE(shown(), QString());
    }

    void shapesAreReadAndRefused() {
        QCOMPARE(*parseDims(QStringLiteral("1×3×640x640")), (Dims{1, 3, 640, 640}));
        QCOMPARE(*parseDims("8, 128"), (Dims{8, 128}));
        QVERIFY(!parseDims("1×N×2").hasValue());
        show();
        openSample();
        const auto wide = withShapes(*context().model(), m_fixture->session().settings(), {{"image", {16, 1, 8, 8}}});
        QCOMPARE(wide->shapes.at("image"), (Dims{16, 1, 8, 8}));
        QCOMPARE(wide->builder.profiles.front().inputs.at("image").opt.front(), int64_t{16});
    }

    void memoryColoursTheGraphWithItsUnits() {
        show();
        openSample();
        auto& page = window().graphPage();
        window().actions()["colourMemory"].trigger();
        QCOMPARE(page.findChild<QComboBox*>("graphColours")->currentText(), QString("Memory"));
        GraphSceneRequest request{context().index(), GraphStage::Parsed, nullptr, {}};
        const auto data = std::make_shared<const GraphSceneData>(buildGraphScene(request));
        const GraphColouring colouring = colourGraph(data, GraphColour::Memory);
        QVERIFY2(colouring.legend.title.startsWith("Outputs and weights"), qPrintable(colouring.legend.title));
        QVERIFY2(colouring.legend.rampHigh.endsWith("B"), qPrintable(colouring.legend.rampHigh));
        QCOMPARE(colouring.fills.size(), data->scene->nodes.size());
    }

    void layoutIsKeptAndReset() {
        show();
        auto* dock = window().findChild<QDockWidget*>("inspectorPageDock");
        dock->hide();
        QVERIFY(window().close());
        m_fixture->reopen();
        show();
        QVERIFY(!window().findChild<QDockWidget*>("inspectorPageDock")->isVisible());
        window().actions()["resetLayout"].trigger();
        QVERIFY(window().findChild<QDockWidget*>("inspectorPageDock")->isVisible());
    }
};

QTEST_MAIN(MainWindowTest)
#include "gui_main_window_test.moc"
