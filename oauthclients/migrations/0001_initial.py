import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    # The toolkit's tables point at this one, whatever the order of INSTALLED_APPS.
    run_before = [("oauth2_provider", "0001_initial")]

    dependencies = [
        ('accounts', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Client',
            fields=[
                ('redirect_uris', models.TextField(blank=True, help_text='Allowed URIs list, space separated', verbose_name='redirect URIs')),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('client_id', models.CharField(editable=False, max_length=36, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('description', models.CharField(blank=True, max_length=500)),
                ('authorization_grant_type', models.CharField(max_length=24)),
                ('client_type', models.CharField(default='confidential', editable=False, max_length=12)),
                ('scope', models.JSONField(default=list)),
                ('token_seconds', models.PositiveIntegerField(default=86400)),
                ('state', models.CharField(choices=[('active', 'Active'), ('inactive', 'Inactive'), ('disabled', 'Disabled')], default='active', max_length=8)),
                ('date_to_delete', models.DateTimeField(null=True)),
                ('last_used_at', models.DateTimeField(null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('created', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('created_by_type', models.CharField(max_length=16)),
                ('created_by_id', models.UUIDField(null=True)),
                ('created_by_name', models.CharField(max_length=200)),
                ('updated', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('modified_by_type', models.CharField(max_length=16)),
                ('modified_by_id', models.UUIDField(null=True)),
                ('modified_by_name', models.CharField(max_length=200)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'swappable': 'OAUTH2_PROVIDER_APPLICATION_MODEL',
            },
        ),
        migrations.CreateModel(
            name='ClientAuthorization',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('scope', models.JSONField(default=list)),
                ('state', models.CharField(choices=[('Unauthorized', 'Unauthorized'), ('Requested', 'Requested'), ('Authorized', 'Authorized'), ('Revoked', 'Revoked')], max_length=12)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('created_by_id', models.UUIDField(null=True)),
                ('created_by_name', models.CharField(max_length=200)),
                ('modified_at', models.DateTimeField(auto_now=True)),
                ('modified_by_id', models.UUIDField(null=True)),
                ('modified_by_name', models.CharField(max_length=200)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='authorizations', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
        ),
        migrations.CreateModel(
            name='ClientDraft',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('data', models.JSONField(default=dict)),
                ('version', models.PositiveIntegerField(default=1)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('saved_at', models.DateTimeField(auto_now=True)),
                ('client_id', models.UUIDField(null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='client_drafts', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='ClientSecret',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('digest', models.BinaryField(max_length=32)),
                ('last_four', models.CharField(max_length=4)),
                ('created_at', models.DateTimeField()),
                ('created_by_name', models.CharField(max_length=200)),
                ('ends_at', models.DateTimeField(null=True)),
                ('last_used_at', models.DateTimeField(null=True)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='secrets', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(fields=['organization', 'name'], name='client_listing'),
        ),
        migrations.AddConstraint(
            model_name='client',
            constraint=models.UniqueConstraint(models.F('organization'), django.db.models.functions.text.Lower('name'), name='client_name_is_unique_in_organization'),
        ),
        migrations.AddConstraint(
            model_name='clientauthorization',
            constraint=models.UniqueConstraint(fields=('organization', 'client'), name='organization_authorizes_client_once'),
        ),
        migrations.AddConstraint(
            model_name='clientdraft',
            constraint=models.UniqueConstraint(condition=models.Q(('client_id', None)), fields=('user',), name='person_has_one_unfinished_client'),
        ),
        migrations.AddConstraint(
            model_name='clientsecret',
            constraint=models.UniqueConstraint(condition=models.Q(('ends_at', None)), fields=('client',), name='client_has_one_current_secret'),
        ),
    ]
