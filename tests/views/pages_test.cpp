// The pages with the sample model, driven by mouse and keys as a user would.
#include <QApplication>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMessageBox>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <QToolButton>

#include "kernels/cpu/register.h"
#include "tests/views/page_user.h"
#include "tests/views/sample_session.h"
#include "views/models/workbench_context.h"
#include "views/pages/compare/answer_tile.h"
#include "views/pages/compare/compare_page.h"
#include "views/pages/export/export_page.h"
#include "views/pages/graph/graph_colouring.h"
#include "views/pages/layers/layers_page.h"
#include "views/pages/log/log_page.h"
#include "views/pages/problems/problems_page.h"
#include "views/pages/settings/settings_page.h"
#include "views/widgets/breakable_text.h"
#include "views/widgets/command_text.h"
#include "views/widgets/segmented_control.h"
#include "views/widgets/table_view.h"
#include "views/widgets/theme.h"

using namespace strobe;
using namespace strobe::testing;

namespace {

void clickRow(TableView& table, int row, int column = 1) {
    table.scrollTo(table.model()->index(row, column));
    QTest::mouseClick(table.viewport(), Qt::LeftButton, {}, table.visualRect(table.model()->index(row, column)).center());
}

}  // namespace

class PagesTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() {
        Theme::instance().install();
        registerCpuKernels(m_kernels);
        m_session = std::make_unique<Session>(m_kernels);
        QVERIFY(m_session->openModelNow("resources/sample/digits.onnx").isOk());
        m_base = m_session->settings();
        m_base.builder.timingCachePath.clear();
        m_base.builder.optimizationLevel = 0;
        m_base.profileMs = 40;
        for (const PrecisionMode mode : {PrecisionMode::Fp32, PrecisionMode::Bf16}) {
            Settings settings = m_base;
            settings.builder.precision = mode;
            settings.builder.precisionRules = {{"no_such_layer*", DataType::Float32}};
            m_session->setSettings(settings, "test");
            const auto built = m_session->buildNow(true, {});
            QVERIFY2(built.hasValue(), built.status().message().c_str());
        }
        m_context = std::make_unique<WorkbenchContext>(*m_session);
    }

    void init() {
        m_session->setSettings(m_base, "reset");
        QCoreApplication::processEvents();
        m_context->clearSelection();
    }

    void layersFilterAndSelect() {
        LayersPage page(*m_context);
        showAt(page, 1240, 320);
        TableView& table = child<TableView>(page, "layerTable");
        const auto build = m_context->currentBuild();
        QCOMPARE(table.model()->rowCount(), static_cast<int>(build->profile->layers.size()));
        QVERIFY(page.findChild<QLabel*>()->text().contains(" is in "));
        QTest::keyClicks(page.findChild<QLineEdit*>(), "op:Conv");
        int convolutions = 0;
        for (const LayerProfile& layer : build->profile->layers) convolutions += layer.op == "Conv" ? 1 : 0;
        QVERIFY(convolutions > 0);
        QTRY_COMPARE(table.model()->rowCount(), convolutions);
        clickRow(table, 0);
        QVERIFY(m_context->selection().layer.has_value());
        const auto& layer = m_context->selection().layer;
        QCOMPARE(build->profile->layers[static_cast<size_t>(layer->index)].op, std::string("Conv"));
        QCOMPARE(m_context->selection().origin, QString("layersPage"));
        QTest::keyClick(page.findChild<QLineEdit*>(), Qt::Key_Escape);
        QTRY_COMPARE(table.model()->rowCount(), static_cast<int>(build->profile->layers.size()));
        m_context->selectLayer({GraphStage::Engine, build->id, 0}, "elsewhere");
        QCOMPARE(table.selectionModel()->selectedRows().size(), 1);
        QCOMPARE(table.selectionModel()->selectedRows(LayerTableModel::Index).front().data().toString(), QString("0"));
    }

    void layersCopyAndSort() {
        LayersPage page(*m_context);
        showAt(page, 1240, 320);
        TableView& table = child<TableView>(page, "layerTable");
        const auto time = [&](int row) { return table.model()->index(row, LayerTableModel::Time).data(Qt::UserRole + 0x100).toDouble(); };
        QVERIFY(time(0) >= time(1));
        clickRow(table, 0);
        QTest::keyClick(&table, Qt::Key_C, Qt::ControlModifier);
        const QStringList lines = QApplication::clipboard()->text().split('\n', Qt::SkipEmptyParts);
        QCOMPARE(lines.size(), 2);
        QVERIFY(lines[0].contains("Layer\tOp\tTime"));
        auto* header = table.horizontalHeader();
        QTest::mouseClick(header->viewport(), Qt::LeftButton, {}, QPoint(header->sectionViewportPosition(LayerTableModel::Time) + 12, header->height() / 2));
        QVERIFY(time(0) <= time(1));
    }

    void layersGroupAndDrillDown() {
        LayersPage page(*m_context);
        showAt(page, 1240, 320);
        auto* control = page.findChild<SegmentedControl*>();
        clickSegment(*control, 1);
        TableView& groups = child<TableView>(page, "groupTable");
        QVERIFY(groups.isVisible());
        const QString op = groups.model()->index(0, 0).data().toString();
        clickRow(groups, 0);
        QVERIFY(!m_context->selection().nodes.empty());
        QTest::keyClick(&groups, Qt::Key_Return);
        QCOMPARE(control->current(), 0);
        QCOMPARE(page.findChild<QLineEdit*>()->text(), "op:" + op);
    }

    void selectionComesBackToThePageWhereItWasMade() {
        LayersPage layers(*m_context);
        ComparePage compare(*m_context);
        showAt(layers, 1240, 320);
        showAt(compare, 1400, 600);
        for (TableView* table : {&child<TableView>(layers, "layerTable"), &child<TableView>(compare, "comparedRows")}) {
            const auto selected = [&] { return table->selectionModel()->selectedRows().value(0).row(); };
            clickRow(*table, 0, 0);
            clickRow(*table, 2, 0);
            QCOMPARE(selected(), 2);
            m_context->back();
            QCOMPARE(selected(), 0);
            m_context->forward();
            QCOMPARE(selected(), 2);
        }
    }

    void compareRunsAndShowsBoth() {
        ComparePage page(*m_context);
        showAt(page, 1400, 600);
        const auto builds = m_session->builds();
        const auto& accuracy = child<AnswerTile>(page, "accuracyAnswer");
        QCOMPARE(accuracy.headline(), QString("Accuracy unknown"));
        QTest::mouseClick(&child<QPushButton>(page, "compareButton"), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(m_context->currentComparison() != nullptr, 20000);
        QTRY_VERIFY(accuracy.headline() != "Accuracy unknown");
        QVERIFY(page.findChild<QLabel*>()->text().contains("digits_heldout.npz"));
        auto* rows = &child<TableView>(page, "comparedRows");
        QCOMPARE(rows->model()->rowCount(), static_cast<int>(m_context->currentComparison()->rows.size()));
        QVERIFY(!rows->isColumnHidden(CompareTableModel::Snr));
        clickRow(*rows, 0, 0);
        QVERIFY(!m_context->selection().nodes.empty());
        QCOMPARE(m_context->currentComparison()->a, builds[0]->id);
        QVERIFY(page.minimumSizeHint().height() <= 300);  // fits a window of 720 lines
        page.setPair(builds[0]->id, builds[0]->id);
        QVERIFY(!child<QPushButton>(page, "compareButton").isEnabled());
    }

    void compareButtonComesBackHoweverTheJobEnds() {
        ComparePage page(*m_context);
        showAt(page, 1400, 600);
        auto& button = child<QPushButton>(page, "compareButton");
        const auto run = [&](int jobs) {
            JobId last = 0;
            for (int i = 0; i < jobs; ++i)
                last = m_session->jobs().submit("trivial", [](JobContext&) { return Status::ok(); });
            QVERIFY(m_session->jobs().wait(last).isOk());
        };
        QTest::mouseClick(&button, Qt::LeftButton);
        QVERIFY(!button.isEnabled());
        QTRY_VERIFY_WITH_TIMEOUT(button.isEnabled(), 20000);
        run(21);  // the queue forgets the comparison
        QTest::qWait(100);
        QVERIFY(button.isEnabled());
        QTest::mouseClick(&button, Qt::LeftButton);
        run(21);  // before the page heard that it ended
        QTRY_VERIFY(button.isEnabled());
    }

    void newestBuildIsTheCandidateUntilAPairIsChosen() {
        testing::SampleSession session;
        session.open();
        WorkbenchContext context(*session);
        ComparePage page(context);
        showAt(page, 1400, 600);
        const auto boxes = page.findChildren<QComboBox*>();
        QCOMPARE(boxes.size(), 2);
        QComboBox &a = *boxes[0], &b = *boxes[1];
        const auto shows = [&](int idA, int idB) {
            return a.currentData().toInt() == idA && b.currentData().toInt() == idB;
        };
        const int first = session.build()->id, second = session.build()->id;
        QTRY_VERIFY(shows(first, second));
        const auto compared = session->compareNow(first, second, {});
        QTRY_COMPARE(context.currentComparison(), *compared);
        const int third = session.build()->id;
        QTRY_VERIFY(shows(first, third));
        QVERIFY(!context.currentComparison());  // the page shows none
        context.setCurrentComparison((*compared)->id);
        QVERIFY(shows(first, second));
        session->removeBuild(third);
        QTRY_COMPARE(b.count(), 2);
        QVERIFY(shows(first, second));
        const int fourth = session.build()->id;
        QTRY_VERIFY(shows(first, fourth));
        b.setFocus();
        QTest::keyClick(&b, Qt::Key_Up);
        QVERIFY(shows(first, second));
        session.build();
        QTRY_COMPARE(b.count(), 4);
        QVERIFY(shows(first, second));
    }

    void divergenceIsColouredByTheWorstAndUnmeasuredIsGrey() {
        auto data = std::make_shared<GraphSceneData>();
        auto scene = std::make_shared<GraphScene>();
        scene->nodes.resize(3);
        data->scene = scene;
        data->facts.resize(3);
        data->facts[0].snrDb = -5;
        data->facts[1].snrDb = 90;
        const GraphColouring colouring = colourGraph(data, GraphColour::Divergence);
        QCOMPARE(colouring.fills.size(), size_t{3});
        QCOMPARE(colouring.fills[0], Theme::instance().difference(1.0));
        QCOMPARE(colouring.fills[1], Theme::instance().difference(0.0));
        QVERIFY(colouring.fills[2] != colouring.fills[0] && colouring.fills[2] != colouring.fills[1]);
        QCOMPARE(colouring.groupFill({1, 0, 2}), colouring.fills[0]);
        QCOMPARE(colouring.groupFill({2}), colouring.fills[2]);
        data->facts[0].snrDb.reset();
        data->facts[1].snrDb = -1;
        QVERIFY(whyNoColour(*data, GraphColour::Divergence).isEmpty());
        data->facts[1].snrDb.reset();
        data->index = m_context->index();
        QVERIFY(whyNoColour(*data, GraphColour::Divergence)
                    .contains(QString::fromStdString(m_context->currentBuild()->name)));
    }

    void settingsPrecisionWithUndo() {
        SettingsPage page(*m_context);
        showAt(page, 400, 900);
        clickSegment(child<SegmentedControl>(page, "precisionMode"), 1);
        QCOMPARE(m_session->settings().builder.precision, PrecisionMode::Bf16);
        auto& undo = child<QToolButton>(page, "undoSettings");
        QTRY_VERIFY(undo.toolTip().contains("precision BF16"));
        QTest::mouseClick(&undo, Qt::LeftButton);
        QCOMPARE(m_session->settings().builder.precision, PrecisionMode::Fp32);
        QTRY_COMPARE(child<SegmentedControl>(page, "precisionMode").current(), 0);
        QTRY_VERIFY(child<QToolButton>(page, "redoSettings").isEnabled());
    }

    void settingsRulesCountTheirLayers() {
        SettingsPage page(*m_context);
        showAt(page, 400, 900);
        QTest::mouseClick(&child<QPushButton>(page, "addRule"), Qt::LeftButton);
        auto* pattern = qobject_cast<QLineEdit*>(page.focusWidget());
        QVERIFY(pattern != nullptr);
        QTest::keyClicks(pattern, "op:Conv");
        auto* count = pattern->parentWidget()->findChild<QLabel*>();
        QVERIFY2(count->text().contains("layers"), qPrintable(count->text()));
        QTest::keyClick(pattern, Qt::Key_Return);
        QCOMPARE(m_session->settings().builder.precisionRules, (std::vector<PrecisionRule>{{"op:Conv", DataType::Float32}}));
        typeInto(*pattern, "zzz*");
        QCOMPARE(count->text(), QString("no layer"));
        QTest::mouseClick(pattern->parentWidget()->findChild<QToolButton*>(), Qt::LeftButton);
        QVERIFY(m_session->settings().builder.precisionRules.empty());
        m_session->undo();
        QTRY_VERIFY(([&] {
            const auto edits = page.findChildren<QLineEdit*>();
            return std::any_of(edits.begin(), edits.end(), [](const QLineEdit* edit) { return edit->isVisible() && edit->text() == "zzz*"; });
        }()));
    }

    void settingsProfilesAreChecked() {
        SettingsPage page(*m_context);
        showAt(page, 600, 900);
        QLineEdit* edits[3];
        for (int at = 0; at < 3; ++at) {
            const auto found = page.findChildren<QLineEdit*>(QRegularExpression(QStringLiteral("^profile0\\..*\\.%1$").arg(at)));
            QCOMPARE(found.size(), 1);
            edits[at] = found.front();
        }
        const auto batch = [&](int extent) { return QString::number(extent) + edits[1]->placeholderText().mid(edits[1]->placeholderText().indexOf(QChar(0x00d7))); };
        auto& error = child<QLabel>(page, "profileError");
        typeInto(*edits[0], "1×frog");
        QVERIFY2(unbroken(error.text()).contains("'frog' is no extent"), qPrintable(unbroken(error.text())));
        typeInto(*edits[0], batch(8));
        QVERIFY2(unbroken(error.text()).contains("min 8, opt 1"), qPrintable(unbroken(error.text())));
        QVERIFY(m_session->settings().builder.profiles.empty());
        // Between the fields of a profile nothing is wrong yet.
        edits[0]->setFocus();
        edits[0]->selectAll();
        QTest::keyClicks(edits[0], batch(2));
        QTest::keyClick(edits[0], Qt::Key_Tab);
        QCOMPARE(QApplication::focusWidget(), edits[1]);
        QCOMPARE(unbroken(error.text()), QString());
        QTest::keyClick(edits[1], Qt::Key_Tab);
        QTest::keyClick(edits[2], Qt::Key_Tab);  // leaves the profile
        QVERIFY2(unbroken(error.text()).contains("min 2, opt 1"), qPrintable(unbroken(error.text())));
        typeInto(*edits[0], batch(1));
        typeInto(*edits[1], batch(4));
        typeInto(*edits[2], batch(16));
        QVERIFY(unbroken(error.text()).isEmpty());
        const auto profiles = m_session->settings().builder.profiles;
        QCOMPARE(profiles.size(), size_t{1});
        QCOMPARE(profiles[0].inputs.begin()->second.max[0], int64_t{16});
        QCOMPARE(profiles[0].inputs.begin()->second.opt[0], int64_t{4});
        QTest::mouseClick(&child<QPushButton>(page, "addProfile"), Qt::LeftButton);
        QTRY_COMPARE(page.findChildren<QLineEdit*>(QRegularExpression("^profile1\\.")).size(), 3);
    }

    void settingsAreReachedByTabInTheirOrder() {
        SettingsPage page(*m_context);
        const auto nextByTab = [](const QWidget& from) {
            QWidget* next = from.nextInFocusChain();
            while (!next->isVisibleTo(next->window()) || !(next->focusPolicy() & Qt::TabFocus) || next->objectName().startsWith("qt_")) next = next->nextInFocusChain();
            return next->objectName();
        };
        showAt(page, 600, 3000);
        QCOMPARE(nextByTab(child<QPushButton>(page, "addRule")), QString("profile0.image.0"));
        QCOMPARE(nextByTab(child<QLineEdit>(page, "profile0.image.0")), QString("profile0.image.1"));
        QCOMPARE(nextByTab(child<QLineEdit>(page, "profile0.image.2")), QString("addProfile"));
        QCOMPARE(nextByTab(child<QPushButton>(page, "addProfile")), QString("optimizationLevel"));
        QCOMPARE(nextByTab(child<QLineEdit>(page, "shape.image")), page.findChildren<QCheckBox*>().front()->objectName());
    }

    void settingsPassesThreadsAndFile() {
        SettingsPage page(*m_context);
        showAt(page, 600, 3000);
        auto& pass = child<QCheckBox>(page, "ConstantFolding");
        QVERIFY(pass.isChecked());
        QTest::mouseClick(&pass, Qt::LeftButton, {}, QPoint(8, pass.height() / 2));
        QCOMPARE(m_session->settings().builder.disabledPasses.count("ConstantFolding"), size_t{1});
        auto& threads = child<QSpinBox>(page, "threads");
        threads.setFocus();
        QTest::keyClick(&threads, Qt::Key_Up);
        QCOMPARE(m_session->settings().builder.threads, 1);
        typeInto(child<QLineEdit>(page, "inputFile"), "/no/such/file.npz");
        QTRY_VERIFY(unbroken(child<QLabel>(page, "fileError").text()).contains("does not exist"));
        // Taken all the same: a build says so, too, and does not run on what was chosen before.
        QCOMPARE(m_session->settings().inputFile, std::string("/no/such/file.npz"));
        QCOMPARE(child<QLineEdit>(page, "inputFile").text(), QString("/no/such/file.npz"));
        // As strobe-cli takes them: one file an input.
        typeInto(child<QLineEdit>(page, "inputFile"), "image:/no/such/image.npy");
        QTRY_VERIFY(unbroken(child<QLabel>(page, "fileError").text()).startsWith("/no/such/image.npy does not exist"));
        typeInto(child<QLineEdit>(page, "inputFile"), "image:resources/sample/digits.onnx");
        QTRY_VERIFY(unbroken(child<QLabel>(page, "fileError").text()).startsWith("resources/sample/digits.onnx"));  // is no .npy
        QCOMPARE(m_session->settings().inputFile, std::string("image:resources/sample/digits.onnx"));
        clickSegment(child<SegmentedControl>(page, "optimizationLevel"), 5);
        QCOMPARE(m_session->settings().builder.optimizationLevel, 5);
    }

    void settingsTacticsAreBannedAndAllowed() {
        SettingsPage page(*m_context);
        showAt(page, 600, 3000);
        auto* choice = child<QComboBox>(page, "banChoice").lineEdit();
        typeInto(*choice, "onednn.conv");
        QCOMPARE(m_session->settings().builder.bannedTactics.count("onednn.conv"), size_t{1});
        QToolButton* allow = nullptr;
        QTRY_VERIFY(([&] {
            for (QToolButton* button : page.findChildren<QToolButton*>())
                if (button->toolTip() == "Allow onednn.conv again") allow = button;
            return allow != nullptr;
        }()));
        QTest::mouseClick(allow, Qt::LeftButton);
        QVERIFY(m_session->settings().builder.bannedTactics.empty());
    }

    void ignoredRequestsAreListed() {
        Settings settings = m_session->builds().back()->settings;
        m_session->setSettings(settings, "as built");
        SettingsPage page(*m_context);
        showAt(page, 600, 900);
        QVERIFY(child<QLabel>(page, "ignoredRequests").text().contains("no_such_layer*"));
        clickSegment(child<SegmentedControl>(page, "optimizationLevel"), 2);
        QTRY_VERIFY(!child<QLabel>(page, "ignoredRequests").isVisible());
    }

    void problemsGoToTheirPlace() {
        ProblemsPage page(*m_context);
        QSignalSpy counted(&page, &ProblemsPage::problemCountChanged);
        showAt(page, 1240, 320);
        QVERIFY(page.problemCount() >= 2);  // the rule without a layer, in both builds
        auto* table = page.findChild<TableView*>();
        int row = -1;
        for (int at = 0; at < table->model()->rowCount(); ++at)
            if (table->model()->index(at, ProblemTableModel::Source).data().toString() == "build FP32 + 1 rule") row = at;
        QVERIFY(row >= 0);
        clickRow(*table, row);
        QCOMPARE(QString::fromStdString(m_context->currentBuild()->name), QString("FP32 + 1 rule"));
        // What was clicked stays to be read, also when the problems change.
        const auto chosen = [&] {
            return table->selectionModel()->selectedRows(ProblemTableModel::Source).value(0).data().toString();
        };
        const auto reads = [&] {
            const auto labels = page.findChildren<QLabel*>();
            return std::any_of(labels.begin(), labels.end(), [](const QLabel* label) {
                return label->isVisible() && label->text().contains("no_such_layer*");
            });
        };
        QCOMPARE(chosen(), QString("build FP32 + 1 rule"));
        QVERIFY(reads());
        QVERIFY(m_session->buildNow(false, {}).hasValue());
        const int added = m_session->builds().back()->id;
        QTRY_COMPARE(m_context->currentBuild()->id, added);
        QCOMPARE(chosen(), QString("build FP32 + 1 rule"));
        QVERIFY(reads());
        m_session->removeBuild(added);
        QTRY_VERIFY(m_context->currentBuild()->id != added);
        // It is of a setting; what is selected elsewhere has nothing to do with it.
        m_context->selectNodes({0}, "test");
        QCOMPARE(chosen(), QString("build FP32 + 1 rule"));
        auto* severities = page.findChild<SegmentedControl*>();
        const int before = table->model()->rowCount();
        QTest::mouseClick(severities, Qt::LeftButton, {}, QPoint(severities->width() / 2, severities->height() / 2));
        QVERIFY(table->model()->rowCount() < before);
    }

    void exportWritesAndSaysSo() {
        QTemporaryDir folder;
        ExportPage page(*m_context);
        showAt(page, 1240, 600);
        auto& path = child<QLineEdit>(page, "enginePath");
        auto& outcome = child<QLabel>(page, "exportOutcome");
        const QString file = folder.filePath("a model.engine");
        typeInto(path, file);
        QTest::mouseClick(&child<QPushButton>(page, "exportEngine"), Qt::LeftButton);
        QTRY_VERIFY2(outcome.text().startsWith("Wrote"), qPrintable(outcome.text()));
        // Its own file is written again; another build's is not without a question.
        QTest::mouseClick(&child<QPushButton>(page, "exportEngine"), Qt::LeftButton);
        QTRY_VERIFY2(outcome.text().startsWith("Wrote"), qPrintable(outcome.text()));
        auto& builds = *page.findChild<QComboBox*>();
        QVERIFY(builds.count() >= 2);
        builds.setFocus();
        QTest::keyClick(&builds, builds.currentIndex() > 0 ? Qt::Key_Up : Qt::Key_Down);
        QTRY_VERIFY(!outcome.isVisible());
        int asked = 0;
        QTimer::singleShot(200, this, [&] {
            auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget());
            if (box && ++asked) box->button(QMessageBox::No)->click();
        });
        QTest::mouseClick(&child<QPushButton>(page, "exportEngine"), Qt::LeftButton);
        QCOMPARE(asked, 1);
        QVERIFY(!outcome.isVisible());
        QTest::keyClick(&builds, builds.currentIndex() > 0 ? Qt::Key_Up : Qt::Key_Down);
        const auto loaded = Engine::load(file.toStdString(), m_kernels);
        QVERIFY2(loaded.hasValue(), loaded.status().message().c_str());
        QVERIFY(child<CommandText>(page, "exportCommand0").text().startsWith("strobe-cli --loadEngine='" + file + "'"));
        QVERIFY(child<CommandText>(page, "exportCommand1").text().startsWith("strobe-cli run --loadEngine='" + file + "'"));
        const QString again = child<CommandText>(page, "exportCommand2").text();
        QVERIFY2(again.startsWith("strobe-cli build --onnx=resources/sample/digits.onnx") && again.endsWith("--saveEngine='" + file + "'"), qPrintable(again));
        for (auto* button : page.findChildren<QPushButton*>())
            if (button->accessibleName().contains("Build it again")) QTest::mouseClick(button, Qt::LeftButton);
        QCOMPARE(QApplication::clipboard()->text(), again);
        QVERIFY(child<QPlainTextEdit>(page, "exportProgram").toPlainText().contains("Engine::load(\"" + file + "\""));
        page.saveReport(ExportPage::Report::Html, folder.filePath("report.html"));
        QTRY_VERIFY(outcome.text().contains("report.html, "));
        QFile report(folder.filePath("report.html"));
        QVERIFY(report.open(QIODevice::ReadOnly));
        QVERIFY(report.readAll().contains("Memory to run"));
        page.saveReport(ExportPage::Report::LayerCsv, folder.filePath("layers.csv"));
        QTRY_VERIFY(outcome.text().contains("layers.csv, "));
        typeInto(path, "/proc/no/such/folder.engine");
        QTest::mouseClick(&child<QPushButton>(page, "exportEngine"), Qt::LeftButton);
        QTRY_VERIFY(!outcome.text().startsWith("Writ") && outcome.text().contains("/proc/no/such"));
    }

    void logShowsTheWholeError() {
        LogPage page(*m_context);
        showAt(page, 1000, 320);
        const JobId id = m_session->openModel("/no/such/model.onnx");
        QVERIFY(!m_session->jobs().wait(id).isOk());
        auto* table = page.findChild<TableView*>();
        QTRY_COMPARE(table->model()->index(0, JobTableModel::State).data().toString(), QString("Failed"));
        // The table was just brought to the front; its first layout may be yet to come.
        QTRY_VERIFY((clickRow(*table, 0), page.findChild<QPlainTextEdit*>()->toPlainText().contains("/no/such/model.onnx")));
    }

    void emptyPagesSayWhatToDo() {
        Session session(m_kernels);
        WorkbenchContext context(session);
        LayersPage layers(context);
        ComparePage compare(context);
        ProblemsPage problems(context);
        ExportPage exported(context);
        SettingsPage settings(context);
        const auto says = [](const QWidget& page, const QString& text) {
            const auto labels = page.findChildren<QLabel*>();
            return std::any_of(labels.begin(), labels.end(), [&](const QLabel* label) { return label->text().contains(text); });
        };
        QVERIFY(says(layers, "Open a model"));
        QVERIFY(says(compare, "build it twice"));
        QVERIFY(says(problems, "Open a model"));
        QVERIFY(says(exported, "Open a model"));
        QVERIFY(says(settings, "Open a model"));
        QVERIFY(session.openModelNow("resources/sample/digits.onnx").isOk());
        QTRY_VERIFY(says(layers, "Build and profile to see layer times · Ctrl+B"));
        QVERIFY(says(compare, "Build twice"));
        QVERIFY(says(problems, "No problems found in the file"));
        QVERIFY(says(exported, "Build and profile first"));
    }

private:
    KernelRegistry m_kernels;
    std::unique_ptr<Session> m_session;
    std::unique_ptr<WorkbenchContext> m_context;
    Settings m_base;
};

QTEST_MAIN(PagesTest)
#include "pages_test.moc"
